package telemetry

import (
	"context"
	"errors"
	"io"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// Model wraps a model with a span and metrics for each request, from its start to the
// end of the answer, by OpenTelemetry's conventions for generative AI. Both metrics and
// tracing may be nil. The trace's ids are not sent upstream.
func Model(metrics *Metrics, tracing *Tracing, model chat.Model, upstream Upstream) chat.Model {
	if metrics == nil && tracing == nil {
		return model
	}
	observed := observedModel{metrics: metrics, tracer: noop.NewTracerProvider().Tracer(""), model: model, upstream: upstream}
	if tracing != nil {
		observed.tracer = tracing.tracer
	}
	return observed
}

type observedModel struct {
	metrics  *Metrics
	tracer   trace.Tracer
	model    chat.Model
	upstream Upstream
}

// Stream implements [chat.Model].
func (m observedModel) Stream(ctx context.Context, req chat.ModelRequest) (chat.ModelStream, error) {
	model := m.upstream.Model
	if req.Model != "" {
		model = req.Model
	}
	call := modelCall{started: time.Now(), requestModel: model, upstream: m.upstream}
	ctx, span := m.tracer.Start(ctx, chatOperation+" "+model, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(call.attributes()...), trace.WithAttributes(
			attribute.Int("chatkit.upstream.messages", len(req.Messages))))
	if id := conversation(ctx); id != "" {
		span.SetAttributes(attribute.String("gen_ai.conversation.id", id))
	}
	stream, err := m.model.Stream(ctx, req)
	if err != nil {
		call.errorType = fail(span, err)
		m.metrics.modelCalled(call)
		span.End()
		return nil, err
	}
	span.AddEvent("first byte")
	return &observedStream{ModelStream: stream, ctx: ctx, span: span, metrics: m.metrics, call: call}, nil
}

type observedStream struct {
	chat.ModelStream

	ctx     context.Context //nolint:containedctx // Close has no context and must know whether the call was canceled
	span    trace.Span
	metrics *Metrics
	call    modelCall
	ended   bool // Next has returned io.EOF or an error
	closed  bool
}

// Next implements [chat.ModelStream].
func (s *observedStream) Next(chunk *chat.Chunk) error {
	err := s.ModelStream.Next(chunk)
	if err != nil {
		s.ended = true
		if !errors.Is(err, io.EOF) {
			s.call.errorType = fail(s.span, err)
		}
	}
	if chunk.Usage != nil {
		s.call.usage = *chunk.Usage
	}
	if chunk.FinishReason != "" {
		s.call.finishReason = chunk.FinishReason
	}
	if isModelName(chunk.Model) {
		s.call.responseModel = chunk.Model
	}
	return err
}

// Close implements [chat.ModelStream]. Only the first call records the request.
func (s *observedStream) Close() error {
	if s.closed {
		return s.ModelStream.Close()
	}
	s.closed = true
	if !s.ended && s.ctx.Err() != nil {
		s.call.errorType = fail(s.span, context.Canceled)
	}
	s.span.SetAttributes(s.call.result()...)
	s.metrics.modelCalled(s.call)
	s.span.End()
	return s.ModelStream.Close()
}

// chatOperation is the gen_ai.operation.name of an answer.
const chatOperation = "chat"

// modelCall is a request to the model and its result.
type modelCall struct {
	started       time.Time
	upstream      Upstream
	requestModel  string
	responseModel string
	finishReason  string
	errorType     string
	usage         chat.Usage
}

// attributes returns the attributes that are known before the call.
func (c modelCall) attributes() []attribute.KeyValue {
	attributes := []attribute.KeyValue{
		attribute.String("gen_ai.operation.name", chatOperation),
		attribute.String("gen_ai.provider.name", c.upstream.provider()),
		attribute.String("gen_ai.request.model", c.requestModel),
		attribute.Bool("gen_ai.request.stream", true),
	}
	if host, port := c.upstream.address(); host != "" {
		attributes = append(attributes, attribute.String("server.address", host), attribute.Int("server.port", port))
	}
	return attributes
}

// result returns the attributes that are known after the end of the call.
func (c modelCall) result() []attribute.KeyValue {
	var attributes []attribute.KeyValue
	if c.responseModel != "" {
		attributes = append(attributes, attribute.String("gen_ai.response.model", c.responseModel))
	}
	if c.finishReason != "" {
		attributes = append(attributes, attribute.StringSlice("gen_ai.response.finish_reasons", []string{c.finishReason}))
	}
	if c.usage == (chat.Usage{}) {
		return attributes
	}
	return append(attributes,
		attribute.Int64("gen_ai.usage.input_tokens", c.usage.InputTokens),
		attribute.Int64("gen_ai.usage.output_tokens", c.usage.OutputTokens),
		attribute.Int64("gen_ai.usage.cache_read.input_tokens", c.usage.CachedTokens),
		attribute.Int64("gen_ai.usage.reasoning.output_tokens", c.usage.ReasoningTokens))
}

// conversationKey is the context's key of the session's id.
type conversationKey struct{}

func withConversation(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, conversationKey{}, id)
}

func conversation(ctx context.Context) string {
	id, _ := ctx.Value(conversationKey{}).(string)
	return id
}

// fail records the kind of an error on the span and returns it. It does not record the
// text of the error, which is only in the log.
func fail(span trace.Span, err error) string {
	kind := "internal"
	if upstream, ok := errors.AsType[*chat.UpstreamError](err); ok {
		kind = string(upstream.Kind)
		if upstream.Status != 0 {
			span.SetAttributes(attribute.Int("http.response.status_code", upstream.Status))
		}
	} else if code := chat.CodeOf(err); code != "" {
		kind = string(code)
	} else if errors.Is(err, context.Canceled) {
		kind = "canceled"
	}
	span.SetAttributes(attribute.String("error.type", kind))
	span.SetStatus(codes.Error, "")
	return kind
}
