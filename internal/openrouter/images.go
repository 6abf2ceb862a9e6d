package openrouter

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// imagePlaceholder returns the images of the messages in order, and a random text
// that replaces each of them while the rest is encoded, since the encoder would copy
// an image six times. No message can contain the text. It is empty if there are no
// images.
func imagePlaceholder(messages []chat.Message) (placeholder string, images []chat.Image) {
	for n := range messages {
		images = append(images, messages[n].Images...)
	}
	if len(images) == 0 {
		return "", nil
	}
	return rand.Text(), images
}

// insertImages replaces each placeholder with an image in base64.
func insertImages(text []byte, placeholder string, images []chat.Image) []byte {
	if len(images) == 0 {
		return text
	}
	size := len(text)
	for _, image := range images {
		size += base64.StdEncoding.EncodedLen(len(image.Data)) - len(placeholder)
	}
	body := make([]byte, 0, size)
	for _, image := range images {
		before, after, _ := bytes.Cut(text, []byte(placeholder))
		body = base64.StdEncoding.AppendEncode(append(body, before...), image.Data)
		text = after
	}
	return append(body, text...)
}
