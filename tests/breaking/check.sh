#!/usr/bin/env bash
# check.sh: fails when openapi.yaml breaks clients that were made before its
# last change. It compares the file
#   with the commit BASE, if that is set: in CI what a push or a pull request began with;
#   with HEAD, when the file has changes that are not committed;
#   else with what it was before the last commit that changed it.
# A break that is meant says so in the message of the commit that makes it, on
# a line of its own: "Breaking-Change: what breaks, and why".
set -euo pipefail

oasdiff=(go run github.com/oasdiff/oasdiff@v1.36.0)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(git rev-parse --show-toplevel)
cd "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

base=${BASE:-}
[[ $base =~ ^0+$ ]] && base= # a branch's first push has no commit before it
if [[ -n $base ]]; then
	git cat-file -e "$base^{commit}" || { echo "BASE is $base, which this clone does not have; fetch it, or name another commit." >&2 && exit 2; }
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
meant=$(git log --format=%B "$base..HEAD" -- openapi.yaml | sed -n 's/^Breaking-Change: *\(..*\)/\1/p')
if [[ -n $meant ]]; then
	echo "The break is meant: $meant"
	exit 0
fi
cat >&2 <<'TEXT'
openapi.yaml breaks clients. Keep the old form beside the new one, or, if the
break is meant, say so in the commit's message on a line of its own:
Breaking-Change: what breaks, and why
TEXT
exit 1
