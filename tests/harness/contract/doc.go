// Package contract validates the responses of a server against openapi.yaml and
// against the documented rules for errors, headers and streams.
package contract
