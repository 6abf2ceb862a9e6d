// Package adapters makes the adapters of the core, and their options, from the
// settings. The server and the checks of verify-env use the same ones.
package adapters
