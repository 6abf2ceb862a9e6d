package store

import (
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// readRows runs a query and scans its rows. fields returns pointers to a row's
// fields in the order of the columns. gorm's own scan, by reflection, makes a
// list a quarter slower.
func readRows[Row any](query *gorm.DB, fields func(*Row) []any) ([]Row, error) {
	rows, err := query.Rows()
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err reports it
	var all []Row
	for rows.Next() {
		var row Row
		if err := rows.Scan(fields(&row)...); err != nil {
			return nil, fmt.Errorf("scan: %w", err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	return all, nil
}

// readNumber reads a query's only number; 0 without a row.
func readNumber(query *gorm.DB) (int, error) {
	numbers, err := readRows(query, func(n *int) []any { return []any{n} })
	if err != nil || len(numbers) == 0 {
		return 0, err
	}
	return numbers[0], nil
}

// sessionRow is a row of sessions.
type sessionRow struct {
	ID            uuid.UUID
	UserID        string
	Title         *string
	TitlePosition *int64
	MessageCount  int
	ItemSeq       int64
	CreatedAt     int64
	UpdatedAt     int64
}

// titleIsCut reports whether the title is cut from a message and not claimed.
func (r *sessionRow) titleIsCut() bool { return r.TitlePosition != nil && *r.TitlePosition > 0 }

const sessionColumns = "id, user_id, title, title_position, message_count, item_seq, created_at, updated_at"

func sessionFields(r *sessionRow) []any {
	return []any{&r.ID, &r.UserID, &r.Title, &r.TitlePosition, &r.MessageCount, &r.ItemSeq, &r.CreatedAt, &r.UpdatedAt}
}

// runRow is a row of runs. The times in Run are not set.
type runRow struct {
	Run          chat.Run
	StartedAt    int64
	FirstTokenAt *int64
	EndedAt      *int64
}

func runFields(r *runRow) []any {
	run, usage := &r.Run, &r.Run.Usage
	return []any{
		&run.ID, &run.SessionID, &run.Status, &run.Model, &run.UpstreamID, &r.StartedAt, &r.FirstTokenAt, &r.EndedAt,
		&usage.InputTokens, &usage.OutputTokens, &usage.CachedTokens, &usage.ReasoningTokens, &usage.Cost,
		&run.FailureCode, &run.FailureReason, &run.FinishReason, &run.Owner,
	}
}

// itemRow is a row of items without its session.
type itemRow struct {
	ID        uuid.UUID
	RunID     uuid.UUID
	Type      string
	Content   []byte
	ToolCalls []byte
	Detail    []byte
	CreatedAt int64
}

const itemColumns = "id, run_id, type, content, tool_calls, detail, created_at"

func itemFields(r *itemRow) []any {
	return []any{&r.ID, &r.RunID, &r.Type, &r.Content, &r.ToolCalls, &r.Detail, &r.CreatedAt}
}

// contentRow is a part of a message in the column content.
type contentRow struct {
	Type string  `json:"type"`
	Text string  `json:"text"`
	Tag  *tagRow `json:"tag,omitempty"`

	Annotations []annotationRow `json:"annotations,omitempty"`
}

type annotationRow struct {
	URL   string `json:"url"`
	Title string `json:"title"`
	Index *int   `json:"index,omitempty"`
}

type tagRow struct {
	ID          string          `json:"id"`
	Data        json.RawMessage `json:"data"`
	Group       *string         `json:"group,omitempty"`
	Interactive bool            `json:"interactive,omitempty"`
}

// detailRow is the column detail: what an item has besides its content.
type detailRow struct {
	QuotedText *string        `json:"quoted_text,omitempty"`
	Model      string         `json:"model,omitempty"`
	ToolChoice string         `json:"tool_choice,omitempty"`
	ClientCall *clientCallRow `json:"client_call,omitempty"`
	Workflow   *workflowRow   `json:"workflow,omitempty"`

	Attachments []attachedRow `json:"attachments,omitempty"`

	FinishReason string `json:"finish_reason,omitempty"`

	// ReasoningDetails is JSON in a string, so that it is sent back upstream
	// byte by byte as it was received.
	ReasoningDetails string `json:"reasoning_details,omitempty"`
}

// attachedRow is an attachment as it was when the message was sent.
type attachedRow struct {
	ID       uuid.UUID `json:"id"`
	Name     string    `json:"name"`
	MimeType string    `json:"mime_type"`
	Size     int64     `json:"size"`
	Digest   string    `json:"digest"`
}

type clientCallRow struct {
	CallID    string          `json:"call_id"`
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
	Output    json.RawMessage `json:"output,omitempty"`
	Beside    bool            `json:"beside,omitempty"`
}

type workflowRow struct {
	Thoughts []string `json:"thoughts"`
	// Duration is in microseconds.
	Duration int64 `json:"duration"`
	Done     bool  `json:"done"`
}

// toolCallRow is a call of a tool in the column tool_calls.
type toolCallRow struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	Arguments string  `json:"arguments"`
	Result    *string `json:"result,omitempty"`

	CallFailed bool `json:"call_failed,omitempty"`
}
