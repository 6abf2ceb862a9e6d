package config

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing wrong with one setting. Its text never holds a secret.
type Fault struct {
	// Name is the setting's.
	Name string
	// Problem says what is wrong.
	Problem string
	// Fix says what to do.
	Fix string
}

// String is one line: name, problem and what to do.
func (f Fault) String() string {
	return f.Name + ": " + f.Problem + "; " + f.Fix
}

// Faults are all that is wrong with the settings, in the order of All.
type Faults []Fault //nolint:errname // the word says what they are

// Error lists the faults, one a line.
func (f Faults) Error() string {
	lines := make([]string, 0, len(f)+1)
	if len(f) == 1 {
		lines = append(lines, "1 fault in the settings:")
	} else {
		lines = append(lines, fmt.Sprintf("%d faults in the settings:", len(f)))
	}

	for _, fault := range f {
		lines = append(lines, "  "+fault.String())
	}

	return strings.Join(lines, "\n")
}

// only keeps the faults of the named settings.
func (f Faults) only(names []string) Faults {
	return slices.DeleteFunc(slices.Clone(f), func(fault Fault) bool {
		return !slices.Contains(names, fault.Name)
	})
}
