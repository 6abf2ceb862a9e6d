package telemetry

import (
	"context"
	"errors"
	"io"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// Model returns the model with a span for each answer, from the question to
// the last piece. Nothing of the trace is sent upstream.
func (t *Tracing) Model(model chat.Model, name string) chat.Model {
	if t == nil {
		return model
	}
	return tracedModel{t.tracer, model, name}
}

type tracedModel struct {
	tracer trace.Tracer
	model  chat.Model
	name   string
}

// Stream implements [chat.Model].
func (m tracedModel) Stream(ctx context.Context, req chat.ModelRequest) (chat.ModelStream, error) {
	name := m.name
	if req.Model != "" {
		name = req.Model
	}
	ctx, span := m.tracer.Start(ctx, "chat "+name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("gen_ai.operation.name", "chat"), attribute.String("gen_ai.request.model", name),
		attribute.Int("chatkit.upstream.messages", len(req.Messages))))
	stream, err := m.model.Stream(ctx, req)
	if err != nil {
		fail(span, err)
		span.End()
		return nil, err
	}
	if !span.IsRecording() {
		return stream, nil
	}
	span.AddEvent("first byte")
	return &tracedStream{stream, span}, nil
}

type tracedStream struct {
	chat.ModelStream

	span trace.Span
}

// Next implements [chat.ModelStream].
func (s *tracedStream) Next() (chat.Chunk, error) {
	chunk, err := s.ModelStream.Next()
	if err != nil && !errors.Is(err, io.EOF) {
		fail(s.span, err)
	}
	if chunk.Usage != nil {
		s.span.SetAttributes(attribute.Int64("gen_ai.usage.input_tokens", chunk.Usage.InputTokens),
			attribute.Int64("gen_ai.usage.output_tokens", chunk.Usage.OutputTokens))
	}
	if isModelName(chunk.Model) { // It is told once.
		s.span.SetAttributes(attribute.String("gen_ai.response.model", chunk.Model))
	}
	return chunk, err
}

// Close implements [chat.ModelStream].
func (s *tracedStream) Close() error {
	s.span.End() // Once more does nothing.
	return s.ModelStream.Close()
}

// fail notes the kind of an error; its words stay in the log.
func fail(span trace.Span, err error) {
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
}
