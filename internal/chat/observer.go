package chat

import "context"

// Observer observes runs, for metrics and traces. The runs call it themselves,
// so it must not block.
type Observer interface {
	// RunStarted is called when a run is stored and its model is about to be
	// asked. It returns the context of the run: ctx, or one made from it.
	RunStarted(ctx context.Context, run Run) context.Context

	// RunEnded is called once for each run that started, when its end is stored
	// or could not be stored for a while.
	RunEnded(ctx context.Context, run Run)

	// TitleAsked is called with the usage of a title, which is not part of any
	// run's usage that RunEnded sees.
	TitleAsked(ctx context.Context, model string, usage Usage)
}
