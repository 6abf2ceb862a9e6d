#!/usr/bin/env bash
# Tests check.sh in a temporary repository.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com

commit() { git add -A && git commit -qm "$1"; }

# expect STATUS TEXT CASE: checks that check.sh exits with STATUS and prints TEXT.
expect() {
	local status=0
	"$here/check.sh" >"$work/output" 2>&1 || status=$?
	if [[ $status == "$1" ]] && grep -q "$2" "$work/output"; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	echo "FAILED: $3: exit $status, not $1 with \"$2\"; the output:" >&2
	cat "$work/output" >&2
}

git init -q "$work/repository"
cd "$work/repository"
cp "$here/../../openapi.yaml" .
commit "The document"
expect 0 "never changed" "the first commit"

sed -i 's/summary: Create a session/summary: Make a session/' openapi.yaml
expect 0 "The document" "an uncommitted change of a text"
commit "Another summary"
expect 0 "The document" "a committed change of a text"

sed -i 's/operationId: listSessions/operationId: sessions/' openapi.yaml
expect 1 "Another summary" "an uncommitted renaming of an operation"
commit "A renamed operation"
echo text >file
commit "A change of another file"
expect 1 "operation-id" "a renaming of an operation some commits ago"
git commit -q --amend --allow-empty -m "A change of another file

Breaking-Change: does not count, this commit does not change the document"
expect 1 "breaks existing clients" "the line in a commit that does not change the document"

git reset -q --hard HEAD~1
git commit -q --amend -m "A renamed operation

Breaking-Change: listSessions is now sessions"
expect 0 "The break is intended: listSessions is now sessions" "an intended break"

sed -i 's/required: \[role, content\]/required: [role, content, tone]/; s/^        role:$/        tone:\n          type: string\n&/' openapi.yaml
expect 1 "new-required" "a new required field of a request"

BASE=HEAD~2 expect 0 "(The document)" "BASE is a commit"
BASE=0000000000000000000000000000000000000001 expect 2 "does not have" "BASE is an unknown commit"
git checkout -q openapi.yaml

git clone -q --depth 1 "file://$work/repository" "$work/shallow"
cd "$work/shallow"
expect 2 "shallow" "a shallow clone"

echo "$passed passed, $failed failed"
((failed == 0))
