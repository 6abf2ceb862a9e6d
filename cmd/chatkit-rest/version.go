package main

import (
	"context"
	"fmt"
)

// version is set by the linker when the binary is built.
var version = "unknown"

// printVersion is the command version.
func printVersion(_ context.Context, p process, _ []string) error {
	_, err := fmt.Fprintln(p.stdout, "chatkit-rest", version)
	return err
}
