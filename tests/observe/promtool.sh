#!/usr/bin/env bash
# Checks with promtool that the alert rules are valid, that each fires exactly when
# it should, and that the queries of the dashboard are valid.
set -euo pipefail
cd "$(dirname "$0")/../.."

promtool check rules deploy/prometheus/alerts.yml
promtool test rules deploy/prometheus/alerts_test.yml

# Every alert has a test in which it fires.
for alert in $(sed -n 's/^ *- alert: //p' deploy/prometheus/alerts.yml); do
	grep -q "alertname=\"$alert\".*value: 1" deploy/prometheus/alerts_test.yml || {
		echo "deploy/prometheus/alerts_test.yml does not see $alert fire" >&2
		exit 1
	}
done

# promtool cannot read dashboards, so it gets their queries as rules.
rules="$(mktemp --suffix .yml)"
trap 'rm -f "$rules"' EXIT
python3 - deploy/grafana/*.json >"$rules" <<'PYTHON'
import json, sys

queries = [target["expr"]
           for path in sys.argv[1:]
           for panel in json.load(open(path))["panels"]
           for target in panel.get("targets", [])]
rules = [{"record": f"query:{number}", "expr": query.replace("$__rate_interval", "5m")}
         for number, query in enumerate(queries)]
print(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
PYTHON
promtool check rules "$rules"
