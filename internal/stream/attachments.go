package stream

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// Preview makes the URL at which a user's image can be seen for a while.
type Preview func(chat.Attachment) string

// Links makes the URLs of attachments.
type Links struct {
	Service *chat.Service
	// ServerURL is where clients reach this server, without a slash at the end.
	ServerURL string
}

// Preview makes previews for a user, who owns what they are asked for.
func (l Links) Preview(userID string) Preview {
	return func(a chat.Attachment) string {
		a.UserID = userID
		return l.url(a, l.Service.ViewLink(a))
	}
}

func (l Links) url(a chat.Attachment, link chat.Link) string {
	return l.ServerURL + "/api/v1/attachments/" + a.ID.String() + "/content?signature=" +
		strconv.FormatInt(link.Expires, 10) + "." + link.Signature // in one parameter: JSON may escape an ampersand
}

// ParseLink reads a signature that Links wrote; of anything else it makes a
// link that is not good.
func ParseLink(signature string) chat.Link {
	expires, rest, _ := strings.Cut(signature, ".")
	seconds, err := strconv.ParseInt(expires, 10, 64)
	if err != nil {
		return chat.Link{}
	}
	return chat.Link{Expires: seconds, Signature: rest}
}

// ToAPINewAttachment is an attachment with how to upload it.
func (l Links) ToAPINewAttachment(a chat.Attachment) (api.Attachment, error) {
	return toAPIAttachment(a, &api.AttachmentUploadDescriptor{
		URL: l.url(a, l.Service.UploadLink(a)), Method: api.AttachmentUploadDescriptorMethodPut,
		Headers: map[string]string{"Content-Type": a.MimeType},
	}, l.Preview(a.UserID))
}

// ToAPIAttachments are the attachments of a message; never nil.
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
