#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source-path=SCRIPTDIR
. ../steps.sh
step generate npx --no-install openapi-ts --input "$CHATKIT_URL/openapi.yaml" --output generated
step names node ../names.mjs generated
compile_and_run_typescript --build
