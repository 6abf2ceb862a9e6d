package role

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/bench/database"
)

const (
	// DatabaseVariable is the environment variable with the URL of the bare
	// handler's database.
	DatabaseVariable = "BENCH_DATABASE_URL"
	// UserHeader is the header with the user's name. The bare handler does not
	// check it.
	UserHeader = "X-User"
	// handlerConns is the server's default.
	handlerConns = 10
	pageSize     = 20
)

// handler answers with lists and histories. It uses only net/http, database/sql
// and encoding/json, and the statements of the server's store.
type handler struct {
	db                   *sql.DB
	list, session, items string
}

const (
	listQuery = `SELECT id, title, message_count, created_at, updated_at,
		(SELECT session_count FROM users WHERE id = ?) FROM sessions WHERE user_id = ?
		ORDER BY updated_at DESC, id DESC LIMIT CAST(? AS bigint)`
	sessionQuery = `SELECT id, user_id, title, title_position, message_count, item_seq, created_at, updated_at
		FROM sessions WHERE id = ? AND user_id = ?`
	itemsQuery = `SELECT id, run_id, type, content, tool_calls, created_at
		FROM items WHERE session_id = ? AND position <= ? ORDER BY position`
)

type listAnswer struct {
	Success bool          `json:"success"`
	Data    []listSession `json:"data"`
	Meta    listMeta      `json:"meta"`
}

type listMeta struct {
	Total int `json:"total"`
}

type listSession struct {
	ID           string    `json:"id"`
	UserID       string    `json:"user_id"`
	Title        *string   `json:"title"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
	MessageCount int       `json:"message_count"`
}

type historyAnswer struct {
	Success bool           `json:"success"`
	Data    historySession `json:"data"`
}

type historySession struct {
	ID        string    `json:"id"`
	UserID    string    `json:"user_id"`
	Title     *string   `json:"title"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	Messages  []message `json:"messages"`
}

type message struct {
	ID        string    `json:"id"`
	Role      string    `json:"role"`
	Content   []content `json:"content"`
	CreatedAt time.Time `json:"created_at"`
}

type content struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// ServeHandler runs the bare handler.
func ServeHandler(ctx context.Context, stdout io.Writer) error {
	databaseURL := os.Getenv(DatabaseVariable)
	db, err := database.Open(ctx, databaseURL, handlerConns)
	if err != nil {
		return err
	}
	e := database.EngineOf(databaseURL)
	h := &handler{
		db: db, list: database.Rebind(e, listQuery), session: database.Rebind(e, sessionQuery), items: database.Rebind(e, itemsQuery),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sessions", h.listSessions)
	mux.HandleFunc("GET /sessions/{id}", h.getSession)
	return errors.Join(serveHTTP(ctx, mux, stdout), db.Close())
}

func (h *handler) listSessions(w http.ResponseWriter, r *http.Request) {
	answer, err := h.readList(r.Context(), r.Header.Get(UserHeader))
	writeJSON(w, answer, err)
}

func (h *handler) getSession(w http.ResponseWriter, r *http.Request) {
	answer, err := h.readHistory(r.Context(), r.Header.Get(UserHeader), r.PathValue("id"))
	writeJSON(w, answer, err)
}

func writeJSON(w http.ResponseWriter, answer any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) //nolint:errchkjson // a client that disconnected needs no answer
}

func (h *handler) readList(ctx context.Context, user string) (listAnswer, error) {
	answer := listAnswer{Success: true}
	rows, err := h.db.QueryContext(ctx, h.list, user, user, pageSize+1)
	if err != nil {
		return answer, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err has the error
	for rows.Next() {
		s := listSession{UserID: user}
		var created, updated int64
		if err := rows.Scan(&s.ID, &s.Title, &s.MessageCount, &created, &updated, &answer.Meta.Total); err != nil {
			return answer, err
		}
		s.CreatedAt, s.UpdatedAt = fromMicros(created), fromMicros(updated)
		answer.Data = append(answer.Data, s)
	}
	return answer, rows.Err()
}

func (h *handler) readHistory(ctx context.Context, user, id string) (historyAnswer, error) {
	answer := historyAnswer{Success: true}
	s := &answer.Data
	var titlePosition *int64
	var count, itemSeq, created, updated int64
	err := h.db.QueryRowContext(ctx, h.session, id, user).
		Scan(&s.ID, &s.UserID, &s.Title, &titlePosition, &count, &itemSeq, &created, &updated)
	if err != nil {
		return answer, err
	}
	s.CreatedAt, s.UpdatedAt = fromMicros(created), fromMicros(updated)
	rows, err := h.db.QueryContext(ctx, h.items, id, itemSeq)
	if err != nil {
		return answer, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err has the error
	for rows.Next() {
		m := message{Role: "user"}
		var run, kind string
		var text, toolCalls []byte
		if err := rows.Scan(&m.ID, &run, &kind, &text, &toolCalls, &created); err != nil {
			return answer, err
		}
		if err := json.Unmarshal(text, &m.Content); err != nil {
			return answer, fmt.Errorf("read the content of a message: %w", err)
		}
		m.CreatedAt = fromMicros(created)
		if kind == "assistant_message" {
			m.Role = "assistant"
		}
		s.Messages = append(s.Messages, m)
	}
	return answer, rows.Err()
}

func fromMicros(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
