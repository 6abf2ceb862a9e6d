#!/usr/bin/env bash
# Runs each fuzz target of the module for the given time. A target that fails does
# not stop the others.
set -euo pipefail
time=${1:-20s}
failed=()
while IFS=: read -r file function; do
	package=$(dirname "$file") target=${function#func }
	echo "== $package $target"
	# Go minimizes each interesting input for up to a minute, and does not fuzz then.
	go test -run '^$' -fuzz "^${target}\$" -fuzztime "$time" -fuzzminimizetime 1s "$package" </dev/null ||
		failed+=("$package $target")
done < <(grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sort)
if [ ${#failed[@]} -gt 0 ]; then
	printf 'FAILED: %s\n' "${failed[@]}"
	exit 1
fi
