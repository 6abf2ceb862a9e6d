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

// modelNames bounds the names that others may bring into the metrics: upstream
// says itself which model answered, and may say something new each time.
type modelNames struct {
	mu    sync.Mutex
	most  int
	known map[string]bool
}

// newBoundedNames knows no name yet, and learns so many.
func newBoundedNames(most int) *modelNames {
	return &modelNames{most: most, known: make(map[string]bool)}
}

// newModelNames knows the name of the model that is asked.
func newModelNames(configured string) *modelNames {
	n := newBoundedNames(maxModels)
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
	case len(n.known) == n.most || !isModelName(name):
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
