package stream

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// Preview returns the signed URL of a user's image.
type Preview func(chat.Attachment) string

// Links makes the signed URLs of attachments.
type Links struct {
	Service *chat.Service
	// ServerURL is the URL at which clients reach this server, without a slash at
	// its end.
	ServerURL string
}

// Preview makes the previews of a user's attachments.
func (l Links) Preview(userID string) Preview {
	return func(a chat.Attachment) string {
		a.UserID = userID
		return l.url(a, l.Service.SignView(a))
	}
}

// url returns a URL with its signature in one parameter: JSON may escape an
// ampersand between two.
func (l Links) url(a chat.Attachment, signature chat.URLSignature) string {
	return l.ServerURL + "/api/v1/attachments/" + a.ID.String() + "/content?signature=" +
		strconv.FormatInt(signature.Expires, 10) + "." + signature.MAC
}

// ParseSignature parses a signature that Links wrote. For any other text it
// returns a signature that is not valid.
func ParseSignature(signature string) chat.URLSignature {
	expires, mac, _ := strings.Cut(signature, ".")
	seconds, err := strconv.ParseInt(expires, 10, 64)
	if err != nil {
		return chat.URLSignature{}
	}
	return chat.URLSignature{Expires: seconds, MAC: mac}
}

// ToAPINewAttachment converts an attachment that is not uploaded yet.
func (l Links) ToAPINewAttachment(a chat.Attachment) (api.Attachment, error) {
	return toAPIAttachment(a, &api.AttachmentUploadDescriptor{
		URL: l.url(a, l.Service.SignUpload(a)), Method: api.AttachmentUploadDescriptorMethodPut,
		Headers: map[string]string{"Content-Type": a.MimeType},
	}, l.Preview(a.UserID))
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
