package rest

import (
	"time"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

func toAPIRun(run chat.Run) api.Run {
	to := api.Run{
		ID: run.ID, SessionID: run.SessionID, Status: api.RunStatus(run.Status), Model: run.Model,
		StartedAt: run.StartedAt, FirstTokenAt: toAPITime(run.FirstTokenAt), EndedAt: toAPITime(run.EndedAt),
		Usage: api.RunUsage{
			InputTokens: run.Usage.InputTokens, OutputTokens: run.Usage.OutputTokens,
			ReasoningTokens: run.Usage.ReasoningTokens, CachedTokens: run.Usage.CachedTokens,
		},
		Cost: run.Usage.Cost,
	}
	if run.FinishReason != "" {
		to.FinishReason = (*api.RunFinishReason)(&run.FinishReason)
	}
	if run.FailureCode != "" {
		to.Error = &api.RunError{
			Code: string(run.FailureCode), Message: run.FailureReason, Retryable: run.FailureCode.Retryable(),
		}
	}
	return to
}

// toAPITime returns nil for the zero time, which is not sent.
func toAPITime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func toAPIActiveRun(run *chat.Run) *api.ActiveRun {
	if run == nil {
		return nil
	}
	return &api.ActiveRun{ID: run.ID, Status: api.RunStatus(run.Status)}
}

func toAPIRunList(page chat.RunPage) api.RunListResponse {
	list := api.RunListResponse{
		Success: true, Data: make([]api.Run, len(page.Runs)), Meta: api.RunListMeta{HasMore: page.HasMore},
	}
	for n, run := range page.Runs {
		list.Data[n] = toAPIRun(run)
	}
	if page.HasMore {
		list.Meta.After = &page.Runs[len(page.Runs)-1].ID
	}
	return list
}
