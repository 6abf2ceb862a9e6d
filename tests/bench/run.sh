#!/usr/bin/env bash
# Builds the server and the benchmark and runs the benchmark with the arguments.
# -quick measures less; -only relay,writes runs only these measurements.
set -euo pipefail
cd "$(dirname "$0")/../.."

build="$(mktemp -d)"
trap 'rm -rf "$build"' EXIT
CGO_ENABLED=0 go build -tags nomsgpack -trimpath -ldflags '-s -w' -o "$build/chatkit-rest" ./cmd/chatkit-rest
CGO_ENABLED=0 go build -trimpath -o "$build/bench" ./tests/bench
"$build/bench" -server "$build/chatkit-rest" "$@"
