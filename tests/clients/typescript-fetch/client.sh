#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source-path=SCRIPTDIR
. ../steps.sh
step generate openapi_generator typescript-fetch \
	--additional-properties=modelPropertyNaming=original,prefixParameterInterfaces=true
step names node ../names.mjs generated
compile_and_run_typescript --build
