package mcp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// connection is a connection to a server.
type connection struct {
	session *sdk.ClientSession
	// changed and doubted ask for the tools to be listed again: the server says
	// that they have changed, or a call had reason to think that the connection
	// is broken.
	changed, doubted chan struct{}
	// closed is closed when the connection is closed, and ends all waiting.
	closed chan struct{}

	carrier  carrier
	patience time.Duration // for an orderly end
}

// carrier carries a connection: a child process, or HTTP requests.
type carrier interface {
	// transport returns the library's transport. It is used once.
	transport() sdk.Transport
	// cut ends everything at once that is left of the carrier.
	cut()
	// lastOutput returns the last line that the server wrote outside of the
	// protocol.
	lastOutput() string
}

// connect starts the server's command, or opens a session at its URL. If that
// fails, nothing is left running.
func (s *server) connect(ctx context.Context) (*connection, error) {
	c := &connection{
		changed: make(chan struct{}, 1), doubted: make(chan struct{}, 1), closed: make(chan struct{}),
		carrier: s.newCarrier(), patience: s.pace.leave,
	}
	if s.Command != "" {
		c.patience = 3 * s.pace.stop
	}
	// Without capabilities the server can ask for no roots, no sampling and no
	// elicitation: tools get no access to the user or the model.
	client := sdk.NewClient(&sdk.Implementation{Name: "chatkit-rest", Version: s.version}, &sdk.ClientOptions{
		Capabilities: &sdk.ClientCapabilities{}, MultiRoundTrip: &sdk.MultiRoundTripOptions{Disabled: true},
		ToolListChangedHandler: func(context.Context, *sdk.ToolListChangedRequest) { ask(c.changed) },
	})
	limited, cancel := context.WithTimeout(ctx, s.StartTimeout)
	defer cancel()
	connected := make(chan error, 1)
	go func() {
		var err error
		c.session, err = client.Connect(limited, c.carrier.transport(), nil)
		connected <- err
	}()
	var err error
	select {
	case err = <-connected:
	case <-limited.Done():
		// The library ends what it began, if the server lets it.
		err = awaitOr(connected, c.patience, c.carrier.cut)
		if err == nil {
			c.close()
			err = limited.Err()
		}
	}
	if err == nil {
		return c, nil
	}
	c.carrier.cut()
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("it did not start within %s (startTimeout)", s.StartTimeout)
	}
	return nil, c.explain(err)
}

// awaitOr waits for a result. After the patience it calls force, which must
// bring the result about.
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

// ask sends a request to a channel, unless one waits there already.
func ask(request chan<- struct{}) {
	select {
	case request <- struct{}{}:
	default:
	}
}

// close ends the connection, and the server if it is a command of ours.
func (c *connection) close() {
	close(c.closed)
	closed := make(chan error, 1)
	go func() { closed <- c.session.Close() }()
	_ = awaitOr(closed, c.patience, c.carrier.cut) // An end that went wrong is an end.
	c.carrier.cut()
}

var errConnectionEnded = errors.New("the connection was ended")

// within sends the server a request, and waits no longer than ctx and the
// connection last. The library could wait longer for a server that does not
// read.
func within[T any](ctx context.Context, c *connection, request func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type outcome struct {
		answer T
		err    error
	}
	answered := make(chan outcome, 1)
	go func() {
		answer, err := request(ctx)
		answered <- outcome{answer, err}
	}()
	var none T
	select {
	case o := <-answered:
		return o.answer, o.err
	case <-ctx.Done():
		return none, ctx.Err()
	case <-c.closed:
		return none, errConnectionEnded
	}
}

// explain adds the last line that the server wrote to an error of its
// connection.
func (c *connection) explain(err error) error {
	if line := c.carrier.lastOutput(); line != "" {
		return fmt.Errorf("%w; its last output: %s", err, line)
	}
	return err
}

// Codes of errors that the library makes itself in the form of an answer.
const (
	codeClientClosing = -32003
	codeServerClosing = -32004
	codeRejected      = -32005
)

// answerOf returns the error with which the server itself answered, or nil.
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
