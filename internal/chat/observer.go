package chat

import "context"

// Observer is told of runs. It is called by the runs themselves, so it must
// not block.
type Observer interface {
	// RunStarted is told of a run that is about to begin. The context it
	// returns is the run's: ctx, or one made from it.
	RunStarted(ctx context.Context, run Run) context.Context

	// RunEnded is told once of each run that started, with how it ended,
	// when that has been saved or could not be for a while.
	RunEnded(ctx context.Context, run Run)

	// TitleAsked is told what the making of a title took, which is in the usage
	// of no run that it is told of.
	TitleAsked(ctx context.Context, model string, usage Usage)
}

// noopObserver is the observer of a service that has none.
type noopObserver struct{}

func (noopObserver) RunStarted(ctx context.Context, _ Run) context.Context { return ctx }
func (noopObserver) RunEnded(context.Context, Run)                         {}
func (noopObserver) TitleAsked(context.Context, string, Usage)             {}
