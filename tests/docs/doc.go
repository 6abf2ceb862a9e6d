// Package docs runs the commands of the documents as a reader would type them
// and compares what they print. `make test-deploy` runs it.
package docs
