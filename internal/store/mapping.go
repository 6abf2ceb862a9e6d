package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
)

func toMicros(t time.Time) int64 { return t.UnixMicro() }

// toMicrosOrNull returns nil, for NULL, for the zero time.
func toMicrosOrNull(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	micros := t.UnixMicro()
	return &micros
}

func fromMicros(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// toText returns a text that every database can store. PostgreSQL accepts neither
// NUL nor invalid UTF-8; upstream may send both.
func toText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func toChatSession(row sessionRow) chat.Session {
	title := ""
	if row.Title != nil {
		title = *row.Title
	}
	return chat.Session{
		ID: row.ID, UserID: row.UserID, Title: title, MessageCount: row.MessageCount,
		CreatedAt: fromMicros(row.CreatedAt), UpdatedAt: fromMicros(row.UpdatedAt),
	}
}

func toChatRun(row runRow) chat.Run {
	run := row.Run
	run.StartedAt = fromMicros(row.StartedAt)
	if row.FirstTokenAt != nil {
		run.FirstTokenAt = fromMicros(*row.FirstTokenAt)
	}
	if row.EndedAt != nil {
		run.EndedAt = fromMicros(*row.EndedAt)
	}
	return run
}

func toChatItems(session uuid.UUID, rows []itemRow) ([]chat.Item, error) {
	items := make([]chat.Item, len(rows))
	for n, row := range rows {
		var err error
		if items[n], err = toChatItem(session, row); err != nil {
			return nil, err
		}
	}
	return items, nil
}

func toChatItem(session uuid.UUID, row itemRow) (chat.Item, error) {
	item := chat.Item{
		ID: row.ID, SessionID: session, RunID: row.RunID, Type: chat.ItemType(row.Type),
		CreatedAt: fromMicros(row.CreatedAt),
	}
	var err error
	if item.Content, err = toChatContent(row.Content); err != nil {
		return chat.Item{}, corrupt("content", row.ID)
	}
	if err := toChatDetail(&item, row.Detail); err != nil {
		return chat.Item{}, corrupt("detail", row.ID)
	}
	if row.ToolCalls == nil {
		return item, nil
	}
	var calls []toolCallRow
	if err := json.Unmarshal(row.ToolCalls, &calls); err != nil {
		return chat.Item{}, corrupt("tool_calls", row.ID)
	}
	item.ToolCalls = make([]chat.ToolCall, len(calls))
	for n, call := range calls {
		item.ToolCalls[n] = chat.ToolCall(call)
	}
	return item, nil
}

func toChatContent(column []byte) ([]chat.Content, error) {
	if plain, ok := plainContent(column); ok {
		return []chat.Content{plain}, nil
	}
	var rows []contentRow
	if err := json.Unmarshal(column, &rows); err != nil {
		return nil, err
	}
	content := make([]chat.Content, len(rows))
	for n, part := range rows {
		content[n] = chat.Content{Type: chat.ContentType(part.Type), Text: part.Text, Tag: (*chat.Tag)(part.Tag)}
		for _, source := range part.Annotations {
			content[n].Annotations = append(content[n].Annotations, chat.Annotation(source))
		}
	}
	return content, nil
}

// plainContent decodes the content of most messages: one text without a character
// that JSON escapes. It takes a tenth of a decoder's time; a history has up to
// forty messages.
func plainContent(column []byte) (chat.Content, bool) {
	rest, ok := bytes.CutPrefix(column, []byte(`[{"type":"`))
	kind, rest, ok2 := bytes.Cut(rest, []byte(`","text":"`))
	text, ok3 := bytes.CutSuffix(rest, []byte(`"}]`))
	if !ok || !ok2 || !ok3 || bytes.ContainsAny(kind, `"\`) || bytes.ContainsAny(text, `"\`) {
		return chat.Content{}, false
	}
	return chat.Content{Type: chat.ContentType(kind), Text: string(text)}, true
}

func toChatDetail(item *chat.Item, column []byte) error {
	if column == nil {
		return nil
	}
	var detail detailRow
	if err := json.Unmarshal(column, &detail); err != nil {
		return err
	}
	item.QuotedText, item.FinishReason = detail.QuotedText, detail.FinishReason
	item.Inference = chat.Inference{Model: detail.Model, ToolChoice: detail.ToolChoice}
	item.ClientCall = (*chat.ClientToolCall)(detail.ClientCall)
	if detail.ReasoningDetails != "" {
		item.ReasoningDetails = json.RawMessage(detail.ReasoningDetails)
	}
	for _, a := range detail.Attachments {
		item.Attachments = append(item.Attachments, chat.Attachment{
			ID: a.ID, SessionID: item.SessionID, Name: a.Name, MimeType: a.MimeType, Size: a.Size, Digest: a.Digest,
			State: chat.AttachmentStored,
		})
	}
	if detail.Workflow != nil {
		item.Workflow = &chat.Workflow{
			Thoughts: detail.Workflow.Thoughts, Done: detail.Workflow.Done,
			Duration: time.Duration(detail.Workflow.Duration) * time.Microsecond,
		}
	}
	return nil
}

// fromChatDetail returns nil, for NULL, where an item has no details.
func fromChatDetail(item chat.Item) (*string, error) {
	if item.QuotedText == nil && item.Inference == (chat.Inference{}) && item.ClientCall == nil && item.Workflow == nil &&
		len(item.Attachments) == 0 && len(item.ReasoningDetails) == 0 && item.FinishReason == "" {
		return nil, nil //nolint:nilnil // nil is NULL
	}
	detail := detailRow{
		QuotedText: item.QuotedText, Model: item.Inference.Model, ToolChoice: item.Inference.ToolChoice,
		ClientCall: (*clientCallRow)(item.ClientCall), ReasoningDetails: string(item.ReasoningDetails), FinishReason: item.FinishReason,
	}
	for _, a := range item.Attachments {
		detail.Attachments = append(detail.Attachments, attachedRow{
			ID: a.ID, Name: a.Name, MimeType: a.MimeType, Size: a.Size, Digest: a.Digest,
		})
	}
	if item.Workflow != nil {
		detail.Workflow = &workflowRow{
			Thoughts: item.Workflow.Thoughts, Duration: item.Workflow.Duration.Microseconds(), Done: item.Workflow.Done,
		}
	}
	text, err := json.Marshal(detail)
	if err != nil {
		return nil, err
	}
	column := string(text)
	return &column, nil
}

// corrupt is the error of a column that cannot be decoded. It leaves out the
// cause, which quotes the stored value.
func corrupt(column string, id uuid.UUID) error {
	return database.SafeError(fmt.Sprintf("column %s of item %s is not the JSON that this program writes; repair the row", column, id))
}

func fromChatContent(content []chat.Content) (string, error) {
	rows := make([]contentRow, len(content))
	for n, part := range content {
		rows[n] = contentRow{Type: string(part.Type), Text: part.Text, Tag: (*tagRow)(part.Tag)}
		for _, source := range part.Annotations {
			rows[n].Annotations = append(rows[n].Annotations, annotationRow(source))
		}
	}
	text, err := json.Marshal(rows)
	return string(text), err
}

// fromChatToolCalls returns nil, for NULL, where there are no calls.
func fromChatToolCalls(calls []chat.ToolCall) (*string, error) {
	if len(calls) == 0 {
		return nil, nil //nolint:nilnil // nil is NULL
	}
	rows := make([]toolCallRow, len(calls))
	for n, call := range calls {
		rows[n] = toolCallRow(call)
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return nil, err
	}
	column := string(text)
	return &column, nil
}
