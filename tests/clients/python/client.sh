#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source-path=SCRIPTDIR
. ../steps.sh
venv=../../../.cache/clients/venv
step generate openapi_generator python \
	--additional-properties=packageName=chatkit_client,useOneOfDiscriminatorLookup=true
step names node ../names.mjs generated/chatkit_client
# Check with the generator's own rules first, then with those of mypy.ini, which are stricter.
cat >>generated/pyproject.toml <<'TOML'

# Errors of the generator; see mypy.ini.
[[tool.mypy.overrides]]
module = ["chatkit_client.models.user_message_item", "chatkit_client.models.message"]
disable_error_code = ["arg-type"]

[[tool.mypy.overrides]]
module = ["chatkit_client.models.chat_kit_response"]
disable_error_code = ["return-value"]
TOML
(cd generated && step package "../$venv/bin/mypy" chatkit_client)
step compile env MYPYPATH=generated "$venv/bin/mypy" conversation.py generated/chatkit_client
step run env PYTHONPATH=generated "$venv/bin/python" conversation.py
