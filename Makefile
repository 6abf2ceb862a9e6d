# Every habit of the project; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)

# Tools that are not part of go.mod, pinned.
GOLANGCI_LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK   := go run golang.org/x/vuln/cmd/govulncheck@v1.9.0
REDOCLY       := npx --yes @redocly/cli@2.77.0

.PHONY: help
help: ## List these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

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
token: build ## Print a token for `make run`'s server; SUB=name says for whom (you)
	@$(development); bin/chatkit-rest token --sub "$${SUB:-you}"

.PHONY: build
build: ## Build the static binary bin/chatkit-rest
	@CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/chatkit-rest ./cmd/chatkit-rest

.PHONY: test
test: ## Run every test with the race detector; installs or starts what it needs
	@tests/prepare.sh race postgres
	go vet ./...
	CGO_ENABLED=1 go test -race -timeout 10m ./...

.PHONY: test-model
test-model: ## Talk to a real small language model through the whole server (downloads it)
	tests/model/run.sh

.PHONY: test-browser
test-browser: build ## Drive both pages in a real Chromium; SHOTS=folder keeps screenshots
	@tests/prepare.sh browser
	@cd tests/browser && npm ci --ignore-scripts --no-audit --no-fund --silent
	cd tests/browser && npm test

.PHONY: fuzz
fuzz: ## Fuzz each target for FUZZTIME (20s)
	tests/fuzz.sh $${FUZZTIME:-20s}

.PHONY: bench
bench: ## Measure the server beside a bare proxy and a bare handler, on both databases
	tests/bench/run.sh

.PHONY: lint
lint: ## Check the Go code, the house's dependency rules, the shell scripts and openapi.yaml
	$(GOLANGCI_LINT) run ./...
	$(REDOCLY) lint --config .redocly.yaml openapi.yaml

.PHONY: vulncheck
vulncheck: ## Look for known vulnerabilities (needs the Go vulnerability database)
	$(GOVULNCHECK) ./...

.PHONY: generate
generate: ## Generate gen/ from openapi.yaml
	go tool oapi-codegen -config gen/api/oapi-codegen.yaml openapi.yaml
	go tool oapi-codegen -config gen/client/oapi-codegen.yaml openapi.yaml
	cp openapi.yaml gen/document/openapi.yaml

.PHONY: check-generate
check-generate: ## Fail when gen/ is not what openapi.yaml says
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
check-web: web ## Fail when the pages' built files are not what their sources say
	@changed="$$(git status --porcelain -- internal/web/assets/built)"; \
	if [ -n "$$changed" ]; then \
		echo "internal/web/assets/built differs from what its sources build; run 'make web' and commit:"; \
		echo "$$changed"; exit 1; \
	fi

.PHONY: verify-env
verify-env: build ## Check the settings, the database and the key upstream, without starting
	@$(development); bin/chatkit-rest verify-env
