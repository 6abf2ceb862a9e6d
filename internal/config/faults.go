package config

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is an invalid setting. Its text never contains a secret.
type Fault struct {
	// Name is the name of the setting.
	Name string
	// Problem says what is wrong.
	Problem string
	// Fix says what to do.
	Fix string
}

// String returns one line with the name, the problem and the fix.
func (f Fault) String() string {
	return f.Name + ": " + f.Problem + "; " + f.Fix
}

// Faults is the error of [Load]: all invalid settings, in the order of [All].
type Faults []Fault //nolint:errname // It is a list of Fault.

// Error lists the faults, one on each line.
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

// only returns the faults of the named settings.
func (f Faults) only(names []string) Faults {
	return slices.DeleteFunc(slices.Clone(f), func(fault Fault) bool {
		return !slices.Contains(names, fault.Name)
	})
}
