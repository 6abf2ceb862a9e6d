package telemetry

import (
	"bytes"
	"io"
	"strconv"
)

// hidden replaces a secret in the log.
const hidden = "(secret)"

// Masked returns a writer that hides the secrets in each text written to w. A secret
// that contains another must come first. The program does not log secrets itself, but
// the errors of libraries, and panics, may contain one.
func Masked(w io.Writer, secrets []string) io.Writer {
	m := masked{Writer: w}
	for _, secret := range secrets {
		m.secrets = append(m.secrets, []byte(secret))
		// Both handlers quote a text in this way, except for characters that JSON
		// escapes differently, which secrets do not have.
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
	masked := text
	for _, secret := range m.secrets {
		if bytes.Contains(masked, secret) {
			masked = bytes.ReplaceAll(masked, secret, []byte(hidden))
		}
	}
	if _, err := m.Writer.Write(masked); err != nil {
		return 0, err
	}
	return len(text), nil
}
