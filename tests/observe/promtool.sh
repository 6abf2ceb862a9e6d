#!/usr/bin/env bash
# Lets Prometheus's own promtool judge the alert rules: their form, that each
# fires when it should and not else, and the queries of the dashboard.
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

# promtool reads no dashboards, so their queries are given to it as rules.
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
