package telemetry

import (
	"bytes"
	"io"
	"strconv"
)

// hidden stands in the log for a secret.
const hidden = "(secret)"

// Masked returns a writer that hides the secrets in each text written to w; of
// those that are parts of others the longer must come first. Nobody logs one
// knowingly, but errors of libraries, and panics, say what they like.
func Masked(w io.Writer, secrets []string) io.Writer {
	m := masked{Writer: w}
	for _, secret := range secrets {
		m.secrets = append(m.secrets, []byte(secret))
		// Both handlers write a text that needs quotes so, but for characters
		// that JSON has another escape for: no secret of ours has such.
		if quoted := strconv.Quote(secret); quoted[1:len(quoted)-1] != secret {
			m.secrets = append(m.secrets, []byte(quoted[1:len(quoted)-1]))
		}
	}
	return m
}

type masked struct {
	io.Writer

	secrets [][]byte
}

func (m masked) Write(text []byte) (int, error) {
	told := text
	for _, secret := range m.secrets {
		if bytes.Contains(told, secret) {
			told = bytes.ReplaceAll(told, secret, []byte(hidden))
		}
	}
	if _, err := m.Writer.Write(told); err != nil {
		return 0, err
	}
	return len(text), nil
}
