// Package docs runs the commands of the documents and compares their output with
// the documents. `make test-deploy` runs it.
package docs
