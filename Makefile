# The project's commands; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)

# Tools that are not part of go.mod, pinned.
GOLANGCI_LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK   := go run golang.org/x/vuln/cmd/govulncheck@v1.9.0
REDOCLY       := npx --yes @redocly/cli@2.77.0
SPECTRAL      := npx --yes @stoplight/spectral-cli@6.16.3

.PHONY: help
help: ## List these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}' | LC_ALL=C sort

# A line of .env that gives $1 a value, in the forms that the program reads.
dotenv_line := ^[[:space:]]*(export[[:space:]]+)?$$1[[:space:]]*[=:][[:space:]]*[\"']?[^\"'\#[:space:]]

# What `make run` and `make token` set where neither the environment nor .env
# does: SQLite under data/, and a secret that stays the same between starts.
define development
is_set() { [ -n "$${!1:-}" ] || grep -qsE "$(dotenv_line)" .env; }; \
mkdir -p data; \
is_set DATABASE_URL || export DATABASE_URL=sqlite:///data/chatkit.db; \
if ! is_set JWT_SECRET; then \
	[ -s data/jwt-secret ] || (umask 077; head -c 48 /dev/urandom | base64 -w 0 > data/jwt-secret); \
	JWT_SECRET="$$(cat data/jwt-secret)"; export JWT_SECRET; \
fi
endef

.PHONY: run
run: build ## Run the server on SQLite under data/; the demo where there is no OPENROUTER_API_KEY
	@$(development); \
	demo=--demo; if is_set OPENROUTER_API_KEY; then demo=; fi; \
	exec bin/chatkit-rest serve $$demo

.PHONY: token
token: build ## Print a token for `make run`'s server; SUB=name is the user (you)
	@$(development); bin/chatkit-rest token --sub "$${SUB:-you}"

.PHONY: build
# nomsgpack leaves out gin's MessagePack codec, which nothing here uses and which
# is an eighth of the binary.
build: ## Build the static binary bin/chatkit-rest
	@CGO_ENABLED=0 go build -tags nomsgpack -trimpath -ldflags '$(LDFLAGS)' -o bin/chatkit-rest ./cmd/chatkit-rest

# What `make test` needs in addition to Go.
.PHONY: test-needs
test-needs:
	@tests/prepare.sh node race postgres pgbouncer redis

# The identity server that the tests use.
tests/identity/provider/node_modules: tests/identity/provider/package-lock.json | test-needs
	npm --prefix tests/identity/provider ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

# The third-party MCP server that the tests use.
tests/tools/everything/node_modules: tests/tools/everything/package-lock.json | test-needs
	npm --prefix tests/tools/everything ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

.PHONY: test
test: test-needs tests/identity/provider/node_modules tests/tools/everything/node_modules ## Run all Go tests, black-box ones too, with the race detector; installs and starts what they need
	go vet ./...
	@# Node.js 18, which Debian 12 has, gives the third-party MCP server no global crypto by default.
	case "$$(node --version)" in v18.*) export NODE_OPTIONS="$${NODE_OPTIONS:-} --experimental-global-webcrypto" ;; esac; \
	CGO_ENABLED=1 go test -race -timeout 10m ./...

.PHONY: test-metrics
test-metrics: ## Check the alert rules and the dashboard's queries with Prometheus's promtool; installs it
	@tests/prepare.sh promtool
	tests/observe/promtool.sh

.PHONY: test-deploy
test-deploy: ## Lint the deploy files and test them with the image's binary, nginx and the docs' commands
	@tests/prepare.sh postgres redis deploy
	tests/deploy/lint.sh
	go test -tags deploy -count=1 -timeout 5m ./tests/deploy ./tests/docs

# The ChatKit package and what its server needs, for the reference.
tests/chatkit/.venv: tests/chatkit/requirements.txt
	tests/prepare.sh venv
	rm -rf $@ && python3 -m venv $@
	$@/bin/pip install --quiet --disable-pip-version-check --no-deps -r $<
	@touch $@

.PHONY: test-chatkit
test-chatkit: tests/chatkit/.venv ## Compare the ChatKit API with the server of the openai-chatkit Python package
	go test -tags chatkit -count=1 -timeout 5m ./tests/chatkit

# Schemathesis and what it needs, for the served document.
tests/schemathesis/.venv: tests/schemathesis/requirements.txt
	tests/prepare.sh venv
	rm -rf $@ && python3 -m venv $@
	$@/bin/pip install --quiet --disable-pip-version-check --no-deps -r $<
	@touch $@

.PHONY: test-schemathesis
test-schemathesis: tests/schemathesis/.venv ## Send generated requests to every operation and check the answers against the served document; EXAMPLES=n an operation (100)
	EXAMPLES=$(EXAMPLES) go test -tags schemathesis -count=1 -timeout 15m ./tests/schemathesis

.PHONY: release
release: ## Build dist/: archives for Linux, macOS and Windows, their SBOMs, SHA256SUMS
	@tests/prepare.sh release
	deploy/release.sh "$(VERSION)" dist $(PLATFORMS)

.PHONY: test-model
test-model: ## Test the server with a real small language model (downloads it)
	tests/model/run.sh

.PHONY: test-clients
test-clients: ## Generate clients in four languages and test each against a server; CLIENTS="go orval", or small
	@case "$(CLIENTS)" in '' | *typescript-fetch* | *python* | *kotlin*) tests/prepare.sh java venv ;; esac
	tests/clients/run.sh $(CLIENTS)

.PHONY: breaking
breaking: ## Check whether the last change of openapi.yaml breaks clients
	@tests/breaking/check.sh

.PHONY: test-breaking
test-breaking: ## Test `make breaking` with changes that do and do not break clients
	@tests/breaking/check_test.sh

.PHONY: test-browser
test-browser: build ## Test both pages in Chromium; SHOTS=folder keeps screenshots
	@tests/prepare.sh browser
	@cd tests/browser && npm ci --ignore-scripts --no-audit --no-fund --silent
	cd tests/browser && npm test

.PHONY: fuzz
fuzz: ## Fuzz each target for FUZZTIME (20s)
	tests/fuzz.sh $${FUZZTIME:-20s}

.PHONY: bench
bench: tests/chatkit/.venv ## Compare the server with a bare proxy and a bare handler (BENCH="-quick -only streams" for less)
	tests/bench/run.sh $(BENCH)

.PHONY: lint
lint: ## Lint the Go code, the rules for imports and openapi.yaml
	$(GOLANGCI_LINT) run ./...
	$(REDOCLY) lint --config .redocly.yaml openapi.yaml
	$(SPECTRAL) lint --ruleset .spectral.yaml --fail-severity warn --quiet openapi.yaml

.PHONY: vulncheck
vulncheck: ## Look for known vulnerabilities (needs the Go vulnerability database)
	$(GOVULNCHECK) ./...

.PHONY: generate
generate: ## Generate gen/ from openapi.yaml
	go tool oapi-codegen -config gen/api/oapi-codegen.yaml openapi.yaml
	go tool oapi-codegen -config gen/client/oapi-codegen.yaml openapi.yaml
	cp openapi.yaml gen/document/openapi.yaml

.PHONY: check-generate
check-generate: ## Fail when gen/ is not what openapi.yaml generates
	@rm -f gen/*/*.gen.go
	@$(MAKE) --no-print-directory generate
	@changed="$$(git status --porcelain -- gen)"; \
	if [ -n "$$changed" ]; then \
		echo "gen/ differs from what openapi.yaml generates; run 'make generate' and commit:"; \
		echo "$$changed"; git --no-pager diff --stat -- gen; exit 1; \
	fi

.PHONY: web
web: ## Build the pages' files in internal/web/assets/built (needs Node.js 20)
	@cd internal/web/playground && npm ci --ignore-scripts --no-audit --no-fund --silent && node build.mjs

.PHONY: check-web
check-web: web ## Fail when the pages' built files are not what their sources build
	@changed="$$(git status --porcelain -- internal/web/assets/built)"; \
	if [ -n "$$changed" ]; then \
		echo "internal/web/assets/built differs from what its sources build; run 'make web' and commit:"; \
		echo "$$changed"; exit 1; \
	fi

.PHONY: verify-env
verify-env: build ## Check the settings and the services that they name, without starting
	@$(development); bin/chatkit-rest verify-env
