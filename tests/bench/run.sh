#!/usr/bin/env bash
# Builds the server and the bench and runs it; its arguments are the bench's.
# -quick is a short form; -only relay,memory takes these measurements alone.
set -euo pipefail
cd "$(dirname "$0")/../.."

build="$(mktemp -d)"
trap 'rm -rf "$build"' EXIT
CGO_ENABLED=0 go build -tags nomsgpack -trimpath -ldflags '-s -w' -o "$build/chatkit-rest" ./cmd/chatkit-rest
CGO_ENABLED=0 go build -trimpath -o "$build/bench" ./tests/bench
"$build/bench" -server "$build/chatkit-rest" "$@"
