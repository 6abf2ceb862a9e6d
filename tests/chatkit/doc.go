// Package chatkit holds the ChatKit protocol's door to the reference: the
// server of the Python package openai-chatkit. The scenarios, one file each,
// run against both, and what they answer is checked by the package's own types
// and compared. `make test-chatkit` runs it.
package chatkit
