package runs_test

import (
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
)

// An incomplete answer is marked: in the events, in the history and in
// the run.
func TestFinishReasonOfAnIncompleteAnswer(t *testing.T) {
	t.Parallel()
	for reason, told := range map[string]string{
		chat.FinishStop:          "",
		"":                       "",
		chat.FinishLength:        "notice The answer is cut: it reached the model's limit of tokens.",
		chat.FinishContentFilter: "notice The answer is cut: the model provider's content filter ended it.",
		chat.FinishUnknown:       "notice The answer may be incomplete: the model stopped for a reason that this server does not know.",
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			observer := &testObserver{}
			service, _ := withTools(t, runs.Options{Observer: observer}, nil, append(text("Half"), chat.Chunk{FinishReason: reason}))
			session, run := ask(t, service)
			want := []string{
				"done user_message", "added assistant_message", "delta Half", "part done Half", "done assistant_message",
			}
			kept := ""
			if told != "" {
				want, kept = append(want, told), reason
			}
			wantSequence(t, follow(t, run, nil), want...)
			if ended := observer.lastRun(); ended.Status != chat.RunCompleted || ended.FinishReason != reason {
				t.Errorf("the run ended as %s with the finish reason %q", ended.Status, ended.FinishReason)
			}
			if items := itemsOf(t, service, session.ID); items[1].FinishReason != kept {
				t.Errorf("the message has the finish reason %q, want %q", items[1].FinishReason, kept)
			}
		})
	}
}

// Blank text before an answer is published with it, and an answer of blank text
// alone is none: it is neither published nor stored.
func TestBlankText(t *testing.T) {
	t.Parallel()
	service, _ := withTools(t, runs.Options{}, toolbox{"look": gives("seen")},
		append([]chat.Chunk{{Text: "\n"}}, calls("look")...), text(" ", "\n", "Yes", " ", "."), text(" ", "\n"))
	session, run := ask(t, service)
	wantSequence(t, follow(t, run, nil), "done user_message", "progress Using look …",
		"added assistant_message", "delta  \nYes", "delta  ", "delta .", "part done  \nYes .", "done assistant_message")
	run, err := service.StartRun(t.Context(), hello(session.ID))
	if err != nil {
		t.Fatal(err)
	}
	wantSequence(t, follow(t, run, nil), "done user_message", "failed The model gave an answer without text; try again.")
	wantHistory(t, service, session.ID, "user_message: hello", "tool_calls: ", "assistant_message:  \nYes .", "user_message: hello")
}
