package chat

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"
)

// Link lets whoever has it do one thing with one attachment, without a token,
// until it expires. It is bound to the owner and to what was announced.
type Link struct {
	// Expires is in seconds since 1970.
	Expires   int64
	Signature string
}

// linkUse is what a link is for.
type linkUse string

const (
	linkUpload linkUse = "upload"
	linkView   linkUse = "view"

	uploadLinkLife = 30 * time.Minute
	viewLinkLife   = time.Hour
)

// UploadLink is a link by which the content can be sent.
func (s *Service) UploadLink(a Attachment) Link { return s.link(linkUpload, a, uploadLinkLife) }

// ViewLink is a link by which the content can be read.
func (s *Service) ViewLink(a Attachment) Link { return s.link(linkView, a, viewLinkLife) }

func (s *Service) link(use linkUse, a Attachment, life time.Duration) Link {
	expires := s.now().Add(life).Unix()
	return Link{Expires: expires, Signature: s.signLink(use, a, expires)}
}

func (s *Service) signLink(use linkUse, a Attachment, expires int64) string {
	var key []byte // None where files are no longer taken: then no link is looked at.
	if s.Attachments != nil {
		key = s.Attachments.LinkKey
	}
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "%s %s %q %d %q %d", use, a.ID, a.UserID, a.Size, a.MimeType, expires) // a hash takes all
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (s *Service) checkLink(use linkUse, a Attachment, link Link) error {
	want := s.signLink(use, a, link.Expires)
	if !hmac.Equal([]byte(want), []byte(link.Signature)) || s.now().Unix() >= link.Expires {
		return Errorf(CodeForbidden, "This link is not good, or no longer; ask for a new one.")
	}
	return nil
}
