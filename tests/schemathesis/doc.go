// Package schemathesis runs Schemathesis, a property-based tester of APIs, over
// the document that a running server serves. `make test-schemathesis` runs it.
package schemathesis
