package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// MaxAnswerBytes bounds the answer of a run: what upstream sends and what the run
// keeps in memory.
const MaxAnswerBytes = 16 << 20

// Model is an upstream provider, as the core sees it.
type Model interface {
	// Stream asks for an answer. It returns when the first byte of the answer
	// arrives, with a stream that the caller must close. The end of ctx ends the
	// upstream connection at once, before and after Stream returns.
	//
	// Returns an *UpstreamError if upstream refuses or cannot be reached, and
	// ctx's error if ctx ended.
	Stream(ctx context.Context, req ModelRequest) (ModelStream, error)
}

// ModelStream is the stream of an answer. It is used by one goroutine.
type ModelStream interface {
	// Next blocks until the next chunk and sets *chunk to it. Returns io.EOF
	// after the last chunk of a complete answer, an *UpstreamError if the answer
	// broke off, and the context's error if the context ended.
	Next(chunk *Chunk) error

	// Close ends the upstream connection. It may be called more than once.
	Close() error
}

// ModelRequest is a question to a model.
type ModelRequest struct {
	// Model is the model's name; empty asks for the provider's configured one.
	Model    string
	Messages []Message
	// User is a stable pseudonym of the user, never the id.
	User string
	// Tools are the tools that the model may call.
	Tools []Tool
	// ToolChoice is the name of the tool that the model must call; empty
	// leaves it to the model.
	ToolChoice string
	// NoCalls forbids the model to call any of the tools.
	NoCalls bool
}

// Role says who a message to the model is from.
type Role string

// The roles of the OpenAI-compatible API.
const (
	RoleSystem    Role = "system"
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
	RoleTool      Role = "tool"
)

// Message is one of the messages that a model is sent.
type Message struct {
	Role    Role
	Content string
	// Files are texts of attached files, each a part after the text.
	Files []string
	// Images follow the texts.
	Images []Image
	// ToolCalls are an assistant message's; their results follow as tool
	// messages.
	ToolCalls []ToolCall
	// ToolCallID is the call a tool message answers.
	ToolCallID string
	// ReasoningDetails is upstream's own record of the reasoning that led to
	// the tool calls, a JSON array. It is sent back unchanged (OpenRouter's
	// documentation, "Reasoning Tokens").
	ReasoningDetails json.RawMessage
}

// Image is a picture that is sent to a model.
type Image struct {
	// MimeType is one like "image/png".
	MimeType string
	Data     []byte
}

// Chunk is a piece of an answer. Any field may be empty. An empty chunk says
// that upstream is alive.
type Chunk struct {
	Text string
	// Reasoning is a piece of the model's reasoning.
	Reasoning string
	// Calls are pieces of tool calls; nil in most chunks.
	Calls []ToolCallDelta
	// ReasoningDetails is a piece of upstream's own record of the reasoning, a
	// JSON array.
	ReasoningDetails json.RawMessage
	// Annotations are the sources of the text so far.
	Annotations []Annotation
	// FinishReason comes at most once, with or after the last text. It is one
	// of the Finish constants.
	FinishReason string
	// Usage comes in one of the last chunks.
	Usage *Usage
	// Model is the model that answers, and UpstreamID upstream's id of the
	// answer.
	Model      string
	UpstreamID string
}

// The finish reasons of a [Chunk]: why the model stopped. An answer that ends
// without a finish reason has none.
const (
	// FinishStop: the model had said all it had to say.
	FinishStop = "stop"
	// FinishLength: the answer reached the limit of tokens and is cut.
	FinishLength = "length"
	// FinishContentFilter: a content filter ended the answer.
	FinishContentFilter = "content_filter"
	// FinishToolCalls: the model waits for the results of its calls.
	FinishToolCalls = "tool_calls"
	// FinishUnknown: upstream gave a reason that is none of the others.
	FinishUnknown = "unknown"
)

// FinishReasons lists them all.
func FinishReasons() []string {
	return []string{FinishStop, FinishLength, FinishContentFilter, FinishToolCalls, FinishUnknown}
}

// ToolCallDelta is a piece of a tool call. The first piece of an index has the
// id and the name; the arguments come in pieces, to be joined.
type ToolCallDelta struct {
	Index     int
	ID        string
	Name      string
	Arguments string
}

// UpstreamKind is the kind of an upstream failure.
type UpstreamKind string

// The kinds of upstream failure. Their values are stored with the run.
const (
	// UpstreamUnreachable: no connection, or it broke before the first byte.
	UpstreamUnreachable UpstreamKind = "upstream_unreachable"
	// UpstreamTimeout: the first byte, or the next one, took too long.
	UpstreamTimeout UpstreamKind = "upstream_timeout"
	// UpstreamBusy: too many requests, or no provider free (408, 429, 502, 503).
	UpstreamBusy UpstreamKind = "upstream_busy"
	// UpstreamCredentials: the server's key was refused (401).
	UpstreamCredentials UpstreamKind = "upstream_credentials"
	// UpstreamPayment: the server's account has no credit (402).
	UpstreamPayment UpstreamKind = "upstream_payment"
	// UpstreamRefused: the content was refused (403, or a content filter).
	UpstreamRefused UpstreamKind = "upstream_refused"
	// UpstreamBadRequest: upstream did not take the request (400, 404, 413, 422).
	UpstreamBadRequest UpstreamKind = "upstream_bad_request"
	// UpstreamBroken: the answer broke off, or was not of the protocol.
	UpstreamBroken UpstreamKind = "upstream_broken"
	// UpstreamEmpty: the answer had no text.
	UpstreamEmpty UpstreamKind = "upstream_empty"
)

// UpstreamKinds lists them all.
func UpstreamKinds() []UpstreamKind {
	return []UpstreamKind{
		UpstreamUnreachable, UpstreamTimeout, UpstreamBusy, UpstreamCredentials, UpstreamPayment,
		UpstreamRefused, UpstreamBadRequest, UpstreamBroken, UpstreamEmpty,
	}
}

// UpstreamError is a failure of the provider. Its text holds nothing that
// upstream wrote, so it may be logged.
type UpstreamError struct {
	Kind UpstreamKind
	// Status is upstream's HTTP status or the code of its error event; 0 when
	// there was none.
	Status int
	// RetryAfter is what upstream asked for; zero when it asked for nothing.
	RetryAfter time.Duration
	// Err is the cause; nil where upstream's own text was the cause.
	Err error
}

func (e *UpstreamError) Error() string {
	text := string(e.Kind)
	if e.Status != 0 {
		text = fmt.Sprintf("%s (status %d)", text, e.Status)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *UpstreamError) Unwrap() error { return e.Err }
