#!/usr/bin/env bash
# check.sh: fails if the last change of openapi.yaml breaks existing clients. It
# compares the file
#   with the commit BASE, if that is set: in CI the base of the push or pull request;
#   with HEAD, if the file has uncommitted changes;
#   else with the commit before the last one that changed the file.
# A line "Breaking-Change: what breaks, and why" in the message of a commit that
# changes the file allows an intended break.
set -euo pipefail

oasdiff=(go run github.com/oasdiff/oasdiff@v1.36.0)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(git rev-parse --show-toplevel)
cd "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

base=${BASE:-}
[[ $base =~ ^0+$ ]] && base= # CI sends zeros for the first push of a branch
if [[ -n $base ]]; then
	git cat-file -e "$base^{commit}" || { echo "This clone does not have BASE ($base); fetch it, or name another commit." >&2 && exit 2; }
elif ! git diff --quiet HEAD -- openapi.yaml; then
	base=HEAD
else
	last=$(git log -1 --format=%H -- openapi.yaml)
	base=$last^
	if ! git cat-file -e "$base^{commit}" 2>/dev/null; then
		if [[ $(git rev-parse --is-shallow-repository) == true ]]; then
			echo "This clone is shallow and lacks the commit before openapi.yaml's last change; run: git fetch --unshallow" >&2
			exit 2
		fi
		echo "openapi.yaml has never changed; there is nothing to break."
		exit 0
	fi
fi
if ! git show "$base:openapi.yaml" >"$work/before.yaml" 2>/dev/null; then
	echo "$(git rev-parse --short "$base") has no openapi.yaml; there is nothing to break."
	exit 0
fi

echo "Comparing openapi.yaml with $(git log -1 --format='%h (%s)' "$base")"
if "${oasdiff[@]}" breaking --fail-on ERR --severity-levels "$here/severity.txt" "$work/before.yaml" openapi.yaml; then
	exit 0
fi
intended=$(git log --format=%B "$base..HEAD" -- openapi.yaml | sed -n 's/^Breaking-Change: *\(..*\)/\1/p')
if [[ -n $intended ]]; then
	echo "The break is intended: $intended"
	exit 0
fi
cat >&2 <<'TEXT'
The change of openapi.yaml breaks existing clients. Keep the old form beside the
new one, or, if the break is intended, add a line to the commit's message:
Breaking-Change: what breaks, and why
TEXT
exit 1
