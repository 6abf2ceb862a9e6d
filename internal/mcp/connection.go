package mcp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// link is a connection to a server.
type connection struct {
	session *sdk.ClientSession
	// changed and doubted ask for a look at the tools: the server says that
	// they have changed, or a call found the connection broken.
	changed, doubted chan struct{}
	// gone is closed when nobody needs to wait for the server any more.
	gone chan struct{}

	carrier  carrier
	patience time.Duration // for an orderly end
}

// way is what carries a connection.
type carrier interface {
	// transport is used once.
	transport() sdk.Transport
	// cut ends at once whatever is left of it.
	cut()
	// lastOutput are what the server said outside of the protocol.
	lastOutput() string
}

// connect starts the server's command, or goes to its URL, and agrees with it
// on the protocol. What was begun is ended when it fails.
func (s *server) connect(ctx context.Context) (*connection, error) {
	l := &connection{
		changed: make(chan struct{}, 1), doubted: make(chan struct{}, 1), gone: make(chan struct{}),
		carrier: s.newCarrier(), patience: s.pace.leave,
	}
	if s.Command != "" {
		l.patience = 3 * s.pace.stop
	}
	// Without capabilities the server can ask for no roots, no sampling and no
	// elicitation: it has tools, and no claim on the user or the model.
	client := sdk.NewClient(&sdk.Implementation{Name: "chatkit-rest", Version: s.version}, &sdk.ClientOptions{
		Capabilities: &sdk.ClientCapabilities{}, MultiRoundTrip: &sdk.MultiRoundTripOptions{Disabled: true},
		ToolListChangedHandler: func(context.Context, *sdk.ToolListChangedRequest) { ask(l.changed) },
	})
	limited, cancel := context.WithTimeout(ctx, s.pace.connect)
	defer cancel()
	connected := make(chan error, 1)
	go func() {
		var err error
		l.session, err = client.Connect(limited, l.carrier.transport(), nil)
		connected <- err
	}()
	var err error
	select {
	case err = <-connected:
	case <-limited.Done():
		// The library ends what it began, if the server lets it.
		err = awaitOr(connected, l.patience, l.carrier.cut)
		if err == nil {
			l.close()
			err = limited.Err()
		}
	}
	if err == nil {
		return l, nil
	}
	l.carrier.cut()
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("it did not answer within %s", s.pace.connect)
	}
	return nil, l.explain(err)
}

// awaitOr waits for a result; after the patience it makes it come.
func awaitOr(result <-chan error, patience time.Duration, force func()) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-result:
		return err
	case <-timer.C:
		force()
		return <-result
	}
}

// ask leaves a wish that has not been left already.
func ask(wish chan<- struct{}) {
	select {
	case wish <- struct{}{}:
	default:
	}
}

// close ends the connection, and the server if it is a command of ours.
func (l *connection) close() {
	close(l.gone)
	closed := make(chan error, 1)
	go func() { closed <- l.session.Close() }()
	_ = awaitOr(closed, l.patience, l.carrier.cut) // An end that went wrong is an end.
	l.carrier.cut()
}

var errGone = errors.New("the connection was ended")

// within asks something of the server, and waits no longer than ctx and the
// link last: a server that does not even read what it is sent could hold the
// library longer.
func within[T any](ctx context.Context, l *connection, question func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type outcome struct {
		answer T
		err    error
	}
	answered := make(chan outcome, 1)
	go func() {
		answer, err := question(ctx)
		answered <- outcome{answer, err}
	}()
	var none T
	select {
	case o := <-answered:
		return o.answer, o.err
	case <-ctx.Done():
		return none, ctx.Err()
	case <-l.gone:
		return none, errGone
	}
}

// explain adds what the server said last to an error of its connection.
func (l *connection) explain(err error) error {
	if words := l.carrier.lastOutput(); words != "" {
		return fmt.Errorf("%w; it said last: %s", err, words)
	}
	return err
}

// Codes of errors that the library makes itself, in the form of an answer.
const (
	codeClientClosing = -32003
	codeServerClosing = -32004
	codeRejected      = -32005
)

// answerOf is the error with which the server itself answered, or nil.
func answerOf(err error) *jsonrpc.Error {
	answer, ok := errors.AsType[*jsonrpc.Error](err)
	if !ok || errors.Is(err, sdk.ErrConnectionClosed) {
		return nil
	}
	switch answer.Code {
	case codeClientClosing, codeServerClosing, codeRejected:
		return nil
	default:
		return answer
	}
}
