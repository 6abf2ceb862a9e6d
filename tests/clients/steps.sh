# shellcheck shell=bash
# step NAME COMMAND…: runs one step of a client and prints its duration.
step() {
	local name=$1 begin=$EPOCHREALTIME
	shift
	"$@"
	LC_ALL=C awk -v name="$name" -v begin="$begin" -v end="$EPOCHREALTIME" \
		'BEGIN { printf "    %-10s %5.1f s\n", name, end - begin }' >&2
}

# compile_and_run_typescript [--build]: compiles and runs a TypeScript client.
# --build is for a client whose generated code is a separate project.
compile_and_run_typescript() {
	step compile npx --no-install tsc "$@"
	step bundle npx --no-install esbuild conversation.ts --bundle --platform=node --format=esm \
		--log-level=warning --outfile=dist/conversation.mjs
	step run node dist/conversation.mjs
}

# openapi_generator GENERATOR OPTION…: generates from the served document into
# generated/, with the jar that run.sh downloaded.
openapi_generator() {
	local generator=$1
	shift
	rm -rf generated
	java -jar "$OPENAPI_GENERATOR_JAR" generate --generator-name "$generator" --input-spec "$CHATKIT_URL/openapi.yaml" \
		--output generated "$@" >generated.log 2>&1 || { cat generated.log >&2 && return 1; }
	rm generated.log
}
