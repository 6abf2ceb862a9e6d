#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source-path=SCRIPTDIR
. ../steps.sh
venv=../../../.cache/clients/venv
step generate openapi_generator python \
	--additional-properties=packageName=chatkit_client,useOneOfDiscriminatorLookup=true
step names node ../names.mjs generated/chatkit_client
# The rules that the generator writes beside its package; then mypy.ini's, which are stricter.
cat >>generated/pyproject.toml <<'TOML'

# The generator's own errors, which mypy.ini tells of.
[[tool.mypy.overrides]]
module = ["chatkit_client.models.user_message_item", "chatkit_client.models.message"]
disable_error_code = ["arg-type"]

[[tool.mypy.overrides]]
module = ["chatkit_client.models.chat_kit_response"]
disable_error_code = ["return-value"]
TOML
(cd generated && step package "../$venv/bin/mypy" chatkit_client)
step compile env MYPYPATH=generated "$venv/bin/mypy" conversation.py generated/chatkit_client
step converse env PYTHONPATH=generated "$venv/bin/python" conversation.py
