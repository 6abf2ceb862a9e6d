package telemetry

import "sync"

const (
	// maxModels is the number of models with their own label values.
	maxModels = 20
	// maxModelName bounds the length of a label value.
	maxModelName = 100
	// otherName is the label value of all other models and tools.
	otherName = "other"
)

// boundedNames bounds the number of values of a label whose names come from other
// servers: upstream may return another model name each time.
type boundedNames struct {
	mu    sync.Mutex
	limit int
	known map[string]bool
}

func newBoundedNames(limit int) *boundedNames {
	return &boundedNames{limit: limit, known: make(map[string]bool)}
}

// newModelNames returns names that include the default model.
func newModelNames(configured string) *boundedNames {
	n := newBoundedNames(maxModels)
	n.label(configured)
	return n
}

// label returns the label value of a name: the name itself for the first names, and
// otherName for invalid and further ones.
func (n *boundedNames) label(name string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.known[name]:
		return name
	case len(n.known) == n.limit || !isModelName(name):
		return otherName
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
