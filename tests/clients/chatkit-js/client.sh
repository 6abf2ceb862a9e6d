#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source-path=SCRIPTDIR
. ../steps.sh
step generate npx --no-install openapi-typescript "$CHATKIT_URL/openapi.yaml" --output generated/chatkit.ts
compile_and_run_typescript
