// Package chatkit compares the ChatKit API with the reference, the server of the
// Python package openai-chatkit. The scenarios, one file each, run against both;
// the answers are validated by the package's own types and compared.
// `make test-chatkit` runs it.
package chatkit
