// Package document embeds openapi.yaml as it was written, comments and order
// included. `make generate` copies the file here: an embedded file must lie
// below the package that embeds it.
package document

import _ "embed"

// YAML is openapi.yaml.
//
//go:embed openapi.yaml
var YAML []byte
