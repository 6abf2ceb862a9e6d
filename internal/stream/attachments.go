package stream

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/attachments"
)

// Preview returns the signed URL of a user's image.
type Preview func(chat.Attachment) string

// AttachmentURLs creates the signed URLs of attachments.
type AttachmentURLs struct {
	Attachments *attachments.Service
	// ServerURL is the URL at which clients reach this server, without a
	// trailing slash.
	ServerURL string
}

// Preview returns the function for the previews of a user's attachments.
func (u AttachmentURLs) Preview(userID string) Preview {
	return func(a chat.Attachment) string {
		a.UserID = userID
		return u.url(a, u.Attachments.SignView(a))
	}
}

// url returns a URL. The signature is one parameter because JSON encoders may escape
// the ampersand between two.
func (u AttachmentURLs) url(a chat.Attachment, signature attachments.URLSignature) string {
	return u.ServerURL + "/api/v1/attachments/" + a.ID.String() + "/content?signature=" +
		strconv.FormatInt(signature.Expires, 10) + "." + signature.MAC
}

// ParseSignature parses the parameter of a signed URL. It returns an invalid signature
// if the text is malformed.
func ParseSignature(signature string) attachments.URLSignature {
	expires, mac, _ := strings.Cut(signature, ".")
	seconds, err := strconv.ParseInt(expires, 10, 64)
	if err != nil {
		return attachments.URLSignature{}
	}
	return attachments.URLSignature{Expires: seconds, MAC: mac}
}

// ToAPINewAttachment converts an attachment whose content is not uploaded yet.
func (u AttachmentURLs) ToAPINewAttachment(a chat.Attachment) (api.Attachment, error) {
	return toAPIAttachment(a, &api.AttachmentUploadDescriptor{
		URL: u.url(a, u.Attachments.SignUpload(a)), Method: api.AttachmentUploadDescriptorMethodPut,
		Headers: map[string]string{"Content-Type": a.MimeType},
	}, u.Preview(a.UserID))
}

// ToAPIAttachments converts the attachments of a message. The result is not nil.
func ToAPIAttachments(item chat.Item, preview Preview) ([]api.Attachment, error) {
	all := make([]api.Attachment, len(item.Attachments))
	for n, a := range item.Attachments {
		a.SessionID = item.SessionID
		var err error
		if all[n], err = toAPIAttachment(a, nil, preview); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func toAPIAttachment(
	a chat.Attachment, upload *api.AttachmentUploadDescriptor, preview Preview,
) (to api.Attachment, err error) {
	file := api.FileAttachment{
		Type: api.FileAttachmentTypeFile, ID: a.ID.String(), Name: a.Name, MimeType: a.MimeType, UploadDescriptor: upload,
	}
	if upload == nil {
		file.ThreadID = &a.SessionID
	}
	if a.IsImage() {
		err = to.FromImageAttachment(api.ImageAttachment{
			Type: api.ImageAttachmentTypeImage, ID: file.ID, Name: file.Name, MimeType: file.MimeType,
			UploadDescriptor: upload, ThreadID: file.ThreadID, PreviewURL: preview(a),
		})
	} else {
		err = to.FromFileAttachment(file)
	}
	if err != nil {
		return to, fmt.Errorf("convert attachment: %w", err)
	}
	return to, nil
}
