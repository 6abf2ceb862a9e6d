package chat

import (
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// cursorSize is that of a cursor's time in microseconds, and of its id.
const cursorSize = 8 + 16

// String is the cursor as callers get it, in base64url: opaque, and nothing in
// it is secret.
func (c SessionCursor) String() string {
	var raw [cursorSize]byte
	binary.BigEndian.PutUint64(raw[:8], uint64(c.UpdatedAt.UnixMicro()))
	copy(raw[8:], c.ID[:])
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// ParseSessionCursor reads what String wrote. Returns INVALID_REQUEST for any
// other text.
func ParseSessionCursor(text string) (*SessionCursor, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) != cursorSize {
		return nil, Errorf(CodeInvalidRequest,
			"after is not a cursor of this server; take it from the page before, where it is called after.")
	}
	micros := int64(binary.BigEndian.Uint64(raw[:8])) //nolint:gosec // written the same way
	return &SessionCursor{UpdatedAt: time.UnixMicro(micros).UTC(), ID: uuid.UUID(raw[8:])}, nil
}

// Cursor is the place after the page's last session; the page must have one.
func (p SessionPage) Cursor() SessionCursor {
	last := p.Sessions[len(p.Sessions)-1]
	return SessionCursor{UpdatedAt: last.UpdatedAt, ID: last.ID}
}
