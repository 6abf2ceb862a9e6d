#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source-path=SCRIPTDIR
. ../steps.sh
step generate openapi_generator kotlin \
	--additional-properties=library=jvm-okhttp4,serializationLibrary=gson,generateOneOfAnyOfWrappers=true,packageName=chatkit
step names node ../names.mjs generated/src/main
step compile mvn -q -B -Dstyle.color=never compile
step run mvn -q -B -Dstyle.color=never exec:java
