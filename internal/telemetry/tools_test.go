package telemetry

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// manyTools offers a tool for each number and fails the odd ones.
type manyTools int

func (n manyTools) Tools(context.Context) []chat.Tool {
	tools := make([]chat.Tool, n)
	for i := range tools {
		tools[i].Name = fmt.Sprintf("server__tool%d", i)
	}
	return tools
}

func (manyTools) Call(_ context.Context, use chat.ToolUse) chat.ToolResult {
	return chat.ToolResult{Failed: strings.HasSuffix(use.Name, "1")}
}

// TestToolCalls checks that calls are counted by tool and outcome in a bounded number of
// series, and that unknown tools have the label value other.
func TestToolCalls(t *testing.T) {
	t.Parallel()
	m := NewMetrics(MetricsOptions{Model: "model"})
	box := Tools(m, nil, manyTools(2*maxToolNames))
	for i := range 2 * maxToolNames {
		box.Call(t.Context(), chat.ToolUse{Name: fmt.Sprintf("server__tool%d", i)})
		box.Call(t.Context(), chat.ToolUse{Name: fmt.Sprintf("invented%d", i)})
	}
	if n := testutil.CollectAndCount(m.tools.calls); n != maxToolNames+2 {
		t.Errorf("there are %d series, want %d", n, maxToolNames+2)
	}
	if ok, failed := testutil.ToFloat64(m.tools.calls.WithLabelValues("server__tool0", "ok")),
		testutil.ToFloat64(m.tools.calls.WithLabelValues("server__tool1", "failed")); ok != 1 || failed != 1 {
		t.Errorf("%v calls succeeded and %v failed, want 1 and 1", ok, failed)
	}
	if Tools(nil, nil, manyTools(1)) != chat.Toolbox(manyTools(1)) {
		t.Error("without metrics and tracing the toolbox is wrapped")
	}
}
