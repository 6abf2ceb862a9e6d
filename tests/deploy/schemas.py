"""Writes the JSON schemas of the package kubernetes-validate to a folder, in the
form that kubeconform reads: references are to a file in the same folder, and
there is no $id."""

import json
import pathlib
import sys

import kubernetes_validate

shipped = pathlib.Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / sys.argv[1]
target = pathlib.Path(sys.argv[2])
target.mkdir(parents=True, exist_ok=True)
kinds = ["configmap-v1", "deployment-apps-v1", "poddisruptionbudget-policy-v1", "secret-v1", "service-v1"]
for name in ["_definitions", *kinds]:
    schema = json.loads((shipped / f"{name}.json").read_text())
    schema.pop("$id", None)
    text = json.dumps(schema).replace('"/api/_definitions.json#/', '"_definitions.json#/')
    (target / f"{name}.json").write_text(text)
