#!/usr/bin/env bash
# run.sh [CLIENT…]: generates the named clients, or all, from the document of a
# running server, compiles them and runs each against a server. `small` stands for
# the clients that need no Java.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=$root/.cache/clients
work=$(mktemp -d)
server_pid=

openapi_generator_version=7.23.0
export OPENAPI_GENERATOR_JAR=$cache/openapi-generator-cli-$openapi_generator_version.jar

small=(openapi-typescript hey-api orval go chatkit-js)
all=("${small[@]}" typescript-fetch python kotlin)
clients=("$@")
if [[ $# == 0 ]]; then clients=("${all[@]}"); fi
if [[ $* == small ]]; then clients=("${small[@]}"); fi

# shellcheck source-path=SCRIPTDIR
. "$here/steps.sh"

finish() {
	local status=$?
	stop_server
	rm -rf "$work"
	exit "$status"
}
trap finish EXIT

# The rate limit of each client's server: one request less than its conversation
# sends. The limit of sessions is one less than it creates. So both are exceeded.
declare -A requests=([openapi-typescript]=10 [go]=10)

# Runs chatkit-rest with only these variables and in an empty folder, where the
# demo stores its database.
chatkit() {
	cd "$folder"
	exec env -i PATH="$PATH" HOME="$folder" JWT_SECRET="$jwt_secret" PORT=0 \
		MAX_SESSIONS_PER_USER=1 RATE_LIMIT_PER_MINUTE="${requests[$client]:-8}" "$root/bin/chatkit-rest" "$@"
}

start_server() {
	local deadline=$((SECONDS + 30))
	folder=$(mktemp -d -p "$work")
	jwt_secret=$(head -c 48 /dev/urandom | base64 -w 0)
	: >"$folder/output" # the loop below may read it before the server opens it
	(chatkit serve --demo) >"$folder/output" 2>"$folder/log" &
	server_pid=$!
	until CHATKIT_URL=$(sed -n 's|^Docs *\(.*\)/docs$|\1|p' "$folder/output") && [[ -n $CHATKIT_URL ]]; do
		if ! kill -0 "$server_pid" 2>/dev/null || ((SECONDS >= deadline)); then
			echo "test-clients: the server did not start:" >&2
			cat "$folder/log" >&2
			exit 1
		fi
		sleep 0.1
	done
	CHATKIT_TOKEN=$(chatkit token --sub anna)
	export CHATKIT_URL CHATKIT_TOKEN
}

stop_server() {
	[[ -n $server_pid ]] || return 0
	kill "$server_pid" 2>/dev/null || true
	wait "$server_pid" 2>/dev/null || true
	server_pid=
}

needs() { [[ " ${clients[*]} " == *" $1 "* ]]; }

install_packages() {
	echo "==> packages" >&2
	if [[ ! -d $here/node_modules ]] || ! cmp -s "$here/package-lock.json" "$cache/package-lock.json"; then
		step npm npm ci --prefix "$here" --silent --ignore-scripts --no-audit --no-fund
		cp "$here/package-lock.json" "$cache/"
	fi
	if needs typescript-fetch || needs python || needs kotlin; then
		[[ -s $OPENAPI_GENERATOR_JAR ]] || step jar mvn -q -B -Dstyle.color=never \
			org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
			-Dartifact=org.openapitools:openapi-generator-cli:$openapi_generator_version \
			-DoutputDirectory="$cache"
	fi
	if needs python && ! cmp -s "$here/python/requirements.txt" "$cache/requirements.txt"; then
		step pip install_python
	fi
}

install_python() {
	python3 -m venv --clear "$cache/venv"
	"$cache/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$here/python/requirements.txt"
	cp "$here/python/requirements.txt" "$cache/requirements.txt"
}

for client in "${clients[@]}"; do
	[[ -x $here/$client/client.sh ]] || { echo "test-clients: there is no client $client; there are: ${all[*]}" >&2 && exit 2; }
done
mkdir -p "$cache"
make -s -C "$root" build
install_packages
node "$here/docs.mjs"
node --test --test-reporter=dot "$here/complaints_test.mjs" >&2

failed=()
for client in "${clients[@]}"; do
	echo "==> $client" >&2
	start_server
	"$here/$client/client.sh" >"$work/output" || { failed+=("$client") && cat "$work/output" >&2; }
	stop_server
done
echo "$((${#clients[@]} - ${#failed[@]})) passed, ${#failed[@]} failed"
((${#failed[@]} == 0)) || { echo "test-clients: failed: ${failed[*]}" >&2 && exit 1; }
