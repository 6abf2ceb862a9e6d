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
(cd generated && step package "../$venv/bin/mypy" chatkit_client)
step compile env MYPYPATH=generated "$venv/bin/mypy" conversation.py generated/chatkit_client
step converse env PYTHONPATH=generated "$venv/bin/python" conversation.py
