package telemetry_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
)

// TestMasked checks that no log line has a secret, whether in the message, an error or
// a panic.
func TestMasked(t *testing.T) {
	t.Parallel()
	secrets := []string{"postgres://me:correct horse@db/chat", "correct horse", `back\slash "quote"`}
	for name, json := range map[string]bool{"text": false, "JSON": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder
			logger := telemetry.NewLogger(telemetry.Masked(&log, secrets), slog.LevelInfo, json)
			for _, secret := range secrets {
				logger.Error("cannot dial "+secret, "error", errors.New("dial "+secret+": refused"), "panic", secret)
			}
			for _, part := range []string{"correct", "horse", "slash", "quote"} {
				if strings.Contains(log.String(), part) {
					t.Errorf("the log has a secret: %s", &log)
				}
			}
			if lines := strings.Count(log.String(), "dial (secret): refused"); lines != len(secrets) {
				t.Errorf("%d lines have the rest of the text, want %d: %s", lines, len(secrets), &log)
			}
		})
	}
}
