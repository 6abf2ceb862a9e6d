#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source-path=SCRIPTDIR
. ../steps.sh
mkdir -p generated/chatkit
step generate go tool oapi-codegen -config oapi-codegen.yaml "$CHATKIT_URL/openapi.yaml"
step names node ../names.mjs generated
step compile go vet ./...
step run go run .
