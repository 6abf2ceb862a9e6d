package openrouter

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// holeFor returns the images of the messages in their order, and a text that
// stands for each while the rest is encoded: the encoder would make six copies
// of them. Nobody can guess the text, so no message holds it.
func holeFor(messages []chat.Message) (hole string, images []chat.Image) {
	for n := range messages {
		images = append(images, messages[n].Images...)
	}
	if len(images) == 0 {
		return "", nil
	}
	return rand.Text(), images
}

// fillHoles puts each image, in base64, into its hole.
func fillHoles(text []byte, hole string, images []chat.Image) []byte {
	if len(images) == 0 {
		return text
	}
	size := len(text)
	for _, image := range images {
		size += base64.StdEncoding.EncodedLen(len(image.Data)) - len(hole)
	}
	body := make([]byte, 0, size)
	for _, image := range images {
		before, after, _ := bytes.Cut(text, []byte(hole))
		body = base64.StdEncoding.AppendEncode(append(body, before...), image.Data)
		text = after
	}
	return append(body, text...)
}
