package telemetry

import "sync"

const (
	// maxModels is how many names of models the metrics tell apart.
	maxModels = 20
	// maxModelName is how long such a name may be.
	maxModelName = 100
	// otherModel is what all further ones are counted as.
	otherModel = "other"
)

// modelNames bounds the names that upstream may bring into the metrics: it
// says itself which model answered, and may say something new each time.
type modelNames struct {
	mu    sync.Mutex
	known map[string]bool
}

// newModelNames knows the name of the model that is asked.
func newModelNames(configured string) *modelNames {
	n := &modelNames{known: make(map[string]bool, maxModels)}
	n.label(configured)
	return n
}

// label is the name as the metrics have it.
func (n *modelNames) label(name string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.known[name]:
		return name
	case len(n.known) == maxModels || !isModelName(name):
		return otherModel
	}
	n.known[name] = true
	return name
}

func isModelName(name string) bool {
	if name == "" || len(name) > maxModelName {
		return false
	}
	for _, char := range []byte(name) {
		if char <= ' ' || char > '~' {
			return false
		}
	}
	return true
}
