package rest

import (
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// A cursor is the time in microseconds, 8 bytes, then the id, 16 bytes, in
// base64url: opaque to callers, and nothing in it is secret.
const cursorSize = 8 + 16

func encodeCursor(s chat.Session) string {
	var raw [cursorSize]byte
	binary.BigEndian.PutUint64(raw[:8], uint64(s.UpdatedAt.UnixMicro()))
	copy(raw[8:], s.ID[:])
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

func decodeCursor(text string) (chat.SessionCursor, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) != cursorSize {
		return chat.SessionCursor{}, chat.Errorf(chat.CodeInvalidRequest,
			"after is not a cursor of this server; take it from meta.after of the page before.")
	}
	micros := int64(binary.BigEndian.Uint64(raw[:8])) //nolint:gosec // written the same way
	return chat.SessionCursor{UpdatedAt: time.UnixMicro(micros).UTC(), ID: uuid.UUID(raw[8:])}, nil
}
