package attachments

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// URLSignature is the part of a signed URL that permits one use of one
// attachment without a token, until it expires. It is bound to the owner, the
// size and the type of the attachment.
type URLSignature struct {
	// Expires is in seconds since 1970.
	Expires int64
	// MAC is in base64.
	MAC string
}

// urlUse is what a signed URL permits.
type urlUse string

const (
	urlUpload urlUse = "upload"
	urlView   urlUse = "view"

	uploadURLLifetime = 30 * time.Minute
	viewURLLifetime   = time.Hour
)

// SignUpload returns the signature of a URL to which the content can be sent.
func (s *Service) SignUpload(a chat.Attachment) URLSignature {
	return s.sign(urlUpload, a, uploadURLLifetime)
}

// SignView returns the signature of a URL from which the content can be read.
func (s *Service) SignView(a chat.Attachment) URLSignature {
	return s.sign(urlView, a, viewURLLifetime)
}

func (s *Service) sign(use urlUse, a chat.Attachment, lifetime time.Duration) URLSignature {
	expires := s.now().Add(lifetime).Unix()
	return URLSignature{Expires: expires, MAC: s.urlMAC(use, a, expires)}
}

func (s *Service) urlMAC(use urlUse, a chat.Attachment, expires int64) string {
	mac := hmac.New(sha256.New, s.URLKey)
	// Writing to a hash does not fail.
	_, _ = fmt.Fprintf(mac, "%s %s %q %d %q %d", use, a.ID, a.UserID, a.Size, a.MimeType, expires)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (s *Service) checkSignature(use urlUse, a chat.Attachment, signature URLSignature) error {
	want := s.urlMAC(use, a, signature.Expires)
	if !hmac.Equal([]byte(want), []byte(signature.MAC)) || s.now().Unix() >= signature.Expires {
		return chat.Errorf(chat.CodeForbidden, "This URL has a wrong signature or has expired; ask for a new one.")
	}
	return nil
}
