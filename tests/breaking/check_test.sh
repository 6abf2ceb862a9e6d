#!/usr/bin/env bash
# Tries check.sh on changes of a repository made for it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com

commit() { git add -A && git commit -qm "$1"; }

# expect STATUS WORD WHAT: check.sh exits with STATUS and its words have WORD.
expect() {
	local status=0
	"$here/check.sh" >"$work/words" 2>&1 || status=$?
	if [[ $status == "$1" ]] && grep -q "$2" "$work/words"; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	echo "FAILED: $3: exit $status, not $1 with \"$2\"; it said:" >&2
	cat "$work/words" >&2
}

git init -q "$work/repository"
cd "$work/repository"
cp "$here/../../openapi.yaml" .
commit "The document"
expect 0 "never changed" "the first commit"

sed -i 's/summary: Create a session/summary: Make a session/' openapi.yaml
expect 0 "The document" "other words, not committed"
commit "Other words"
expect 0 "The document" "other words, committed"

sed -i 's/operationId: listSessions/operationId: sessions/' openapi.yaml
expect 1 "Other words" "an operation is renamed, not committed"
commit "A renamed operation"
echo later >file
commit "Something else, later"
expect 1 "operation-id" "an operation is renamed, some commits ago"
git commit -q --amend --allow-empty -m "Something else, later

Breaking-Change: does not count here, this commit leaves the document alone"
expect 1 "breaks clients" "the word in a commit that does not change the document"

git reset -q --hard HEAD~1
git commit -q --amend -m "A renamed operation

Breaking-Change: listSessions is sessions, to try this"
expect 0 "The break is meant: listSessions is sessions" "a break that is meant"

sed -i 's/required: \[role, content\]/required: [role, content, mood]/; s/^        role:$/        mood:\n          type: string\n&/' openapi.yaml
expect 1 "new-required" "a new required field of a request"

BASE=HEAD~2 expect 0 "(The document)" "against a commit that is named"
BASE=0000000000000000000000000000000000000001 expect 2 "does not have" "against a commit that is not there"
git checkout -q openapi.yaml

git clone -q --depth 1 "file://$work/repository" "$work/shallow"
cd "$work/shallow"
expect 2 "shallow" "a shallow clone"

echo "$passed passed, $failed failed"
((failed == 0))
