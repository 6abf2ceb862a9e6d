#!/usr/bin/env bash
# Asks a real small language model two questions over the REST API, and lets it
# call a tool of an MCP server ten times.
#
# chatkit-rest runs with OPENROUTER_BASE_URL at a model server on this machine. The
# first run downloads about 320 MB and compiles the model server (some minutes);
# .cache/model keeps both for the next runs.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=$root/.cache/model
venv=$cache/venv
work=$(mktemp -d)
model_pid=
chatkit_pid=
tools= # the file of MCP_SERVERS

say() { printf '==> %s\n' "$*"; }

fail() {
	printf 'test-model: %s\n' "$*" >&2
	exit 1
}

# stop PID: asks the process to end, and ends it after 20 seconds.
stop() {
	local pid=$1 deadline=$((SECONDS + 20))
	kill -TERM "$pid" 2>/dev/null || true
	while kill -0 "$pid" 2>/dev/null; do
		if ((SECONDS >= deadline)); then
			kill -KILL "$pid" 2>/dev/null || true
			break
		fi
		sleep 0.1
	done
	wait "$pid" 2>/dev/null
}

finish() {
	local status=$?
	trap - EXIT
	if [[ -n $chatkit_pid ]]; then stop "$chatkit_pid" || true; fi
	if [[ -n $model_pid ]]; then stop "$model_pid" || true; fi
	if ((status != 0)); then
		for log in "$work"/*.log; do
			[[ -s $log ]] || continue
			printf -- '--- the end of %s\n' "$(basename "$log")" >&2
			tail -n 30 "$log" >&2
		done
	fi
	rm -rf "$work"
	exit "$status"
}
trap finish EXIT

# wait_for SECONDS PID WHAT COMMAND...: runs COMMAND until it succeeds.
wait_for() {
	local deadline=$((SECONDS + $1)) pid=$2 what=$3
	shift 3
	until "$@" >/dev/null 2>&1; do
		kill -0 "$pid" 2>/dev/null || fail "$what stopped while it started; its log is below"
		((SECONDS < deadline)) || fail "$what did not answer in time; its log is below"
		sleep 0.2
	done
}

install_packages() {
	local missing=()
	command -v curl >/dev/null || missing+=(curl)
	command -v c++ >/dev/null || missing+=(g++)
	python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
	((${#missing[@]} > 0)) || return 0
	if ((EUID != 0)); then
		fail "missing: ${missing[*]}. Run: sudo apt-get install ${missing[*]}"
	fi
	say "Installing Debian packages: ${missing[*]}"
	apt-get update -q
	apt-get install -q -y --no-install-recommends "${missing[@]}"
}

install_model() {
	local stamp=$cache/installed
	if cmp -s "$here/requirements.txt" "$stamp"; then return; fi
	say "Installing the model and its server in .cache/model (some minutes)"
	mkdir -p "$cache"
	rm -f "$stamp"
	python3 -m venv --clear "$venv"
	# Not tuned to this processor, since pip keeps what it built and another
	# machine may get the folder; without the image parts, which no test uses.
	CMAKE_ARGS="-DGGML_NATIVE=OFF -DLLAVA_BUILD=OFF" \
		nice "$venv/bin/pip" install --quiet --disable-pip-version-check \
		-r "$here/requirements.txt" ||
		fail "pip could not install tests/model/requirements.txt; its output is above"
	cp "$here/requirements.txt" "$stamp"
}

start_model() {
	say "Starting the model server"
	"$venv/bin/python" "$here/model_server.py" "$cache" "$work/model.port" \
		>"$work/model.log" 2>&1 &
	model_pid=$!
	wait_for 120 "$model_pid" "the model server" test -s "$work/model.port"
	model_url=http://127.0.0.1:$(<"$work/model.port")/v1
	wait_for 120 "$model_pid" "the model server" \
		curl -fsS --max-time 5 -o "$work/models.json" "$model_url/models"
	model_name=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["data"][0]["id"])' \
		<"$work/models.json")
	say "$model_name answers at $model_url"
}

# chatkit ARGUMENT...: replaces the shell by the program. The environment is only
# what is written here, and the folder has no .env, so that no settings of the
# caller apply.
chatkit() {
	cd "$work"
	exec env -i PATH="$PATH" HOME="$work" \
		DATABASE_URL="sqlite:///$work/chatkit.db" \
		JWT_SECRET="$jwt_secret" \
		OPENROUTER_API_KEY=local \
		OPENROUTER_BASE_URL="$model_url" \
		OPENROUTER_MODEL="$model_name" \
		PORT="$port" RATE_LIMIT_PER_MINUTE=0 MAX_SESSIONS_PER_USER=20 \
		${tools:+MCP_SERVERS="$tools"} \
		"$root/bin/chatkit-rest" "$@"
}

start_chatkit() {
	say "Building and starting chatkit-rest"
	make -C "$root" build
	jwt_secret=$(python3 -c 'import secrets; print(secrets.token_hex(32))')
	port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
	chatkit serve >"$work/chatkit-rest.log" 2>&1 &
	chatkit_pid=$!
	wait_for 30 "$chatkit_pid" "chatkit-rest" \
		curl -fsS --max-time 5 "http://127.0.0.1:$port/readyz"
	token=$(chatkit token --sub user) || fail "chatkit-rest token gave no token"
	[[ $token != *[[:space:]]* ]] || fail "chatkit-rest token printed more than a token"
	sessions=http://127.0.0.1:$port/api/v1/chatkit/sessions
}

# api CURL-ARGUMENT...: one request as the user; an error status fails.
api() {
	curl -sS --fail-with-body --max-time 120 -H "Authorization: Bearer $token" "$@"
}

check() { python3 "$here/check_answer.py" "$@"; }

# ask QUESTION WORD: prints the raw stream, checks that the answer has WORD, and
# leaves the answer in $answer.
ask() {
	local body stream=$work/stream.txt
	body=$(python3 -c 'import json, sys
print(json.dumps({"message": {"role": "user",
    "content": [{"type": "input_text", "text": sys.argv[1]}]}}))' "$1")
	say "Asking: $1"
	api -N -X POST -H 'Content-Type: application/json' -d "$body" \
		"$sessions/$session/threads/$thread/runs" | tee "$stream" ||
		fail "the run was refused; the answer is above"
	answer=$(check stream "$stream" "$2") || fail "the stream is not as the contract says"
	say "The answer: ${answer# }"
}

# expect_history TEXT...: the session holds exactly these messages.
expect_history() {
	api -o "$work/session.json" "$sessions/$session" || fail "the session could not be read"
	check history "$work/session.json" "$@" || fail "the session's history is wrong"
	say "The history holds $# messages"
}

install_packages
install_model
start_model
start_chatkit

session=$(api -X POST "$sessions" | check field id) || fail "no session was made"
thread=$(api -X POST "$sessions/$session/threads" | check field id) || fail "no thread was made"

question='What is the capital of France? Answer in a full sentence.'
ask "$question" Paris
first=$answer
expect_history "$question" "$first"

# The answer depends on the first question and its answer.
follow_up='Which river flows through it?'
ask "$follow_up" Seine
expect_history "$question" "$first" "$follow_up" "$answer"

# The model is offered tools of an MCP server, and chooses whether to call one.
# choose QUESTION: asks it in a new session, and says whether the tool was called.
choose() {
	local body stream=$work/stream.txt
	session=$(api -X POST "$sessions" | check field id) || fail "no session was made"
	body=$(python3 -c 'import json, sys
print(json.dumps({"message": {"role": "user", "content": [{"type": "input_text", "text": sys.argv[1]}]}}))' "$1")
	api -N -X POST -H 'Content-Type: application/json' -d "$body" \
		"$sessions/$session/threads/$session/runs" >"$stream" || fail "the run was refused"
	api -o "$work/session.json" "$sessions/$session" || fail "the session could not be read"
	python3 -c 'import json, sys
calls = [c for m in json.load(open(sys.argv[1]))["data"]["messages"] for c in m.get("tool_calls", [])]
print("\n".join(c["name"] + " " + c["arguments"] + " -> " + str(c.get("result")) for c in calls))' "$work/session.json"
}

say "Stopping chatkit-rest, and starting it with tools"
stop "$chatkit_pid" || fail "chatkit-rest did not exit with 0 when it was stopped"
(cd "$root" && go build -o "$work/tasks" ./tests/tasks/server)
printf '{"mcpServers": {"tasks": {"command": "%s", "allowedTools": ["add_task", "list_tasks"]}}}' "$work/tasks" >"$work/mcp.json"
tools=$work/mcp.json
start_chatkit

chosen=0 sessions_made=0
for question in "Add task: Buy milk" "Add task: Feed the cat" "Add task: Pay the rent" "Add task: Write to Tom" "Add task: Buy bread" \
	"Add task: Mow the lawn" "Add task: Book a table" "Add task: Wash the car" "Add task: Buy stamps" "Add task: Read a book"; do
	called=$(choose "$question") || fail "the run failed; its output is above"
	title=${question#Add task: }
	if [[ $called == *"tasks__add_task"*"Added task"*"$title"* ]]; then
		chosen=$((chosen + 1))
	fi
	say "$question ==> ${called:-no tool} ==> $(check stream "$work/stream.txt" "")"
	if ((sessions_made++ == 0)); then cp "$work/stream.txt" "$work/first.txt"; fi
done
say "The first stream:"
cat "$work/first.txt"
say "It called the tool correctly in $chosen of 10 tries"
((chosen > 0)) || fail "the model never called the tool"

say "Stopping chatkit-rest"
stop "$chatkit_pid" || fail "chatkit-rest did not exit with 0 when it was stopped"
chatkit_pid=
say "A real model answered over the REST API: passed"
