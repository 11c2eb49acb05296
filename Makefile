# What people do with this tree. `make help` lists it.

SHELL := /bin/bash
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT := $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

# How long each fuzz target runs, and where `make run` keeps its data.
FUZZTIME ?= 3s
DATA ?= ./data

# How long the chaos lasts, and the seed of its first round; none: any.
CHAOS_TIME ?= 1h
CHAOS_SEED ?= 0

# How long make churn writes and purges.
CHURN_TIME ?= 1h

.PHONY: help
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: run
run: ## build and run the demo: open http://127.0.0.1:8080/ in two tabs
	@echo "1/2 building bin/skein: two to three minutes the first time, seconds after that"
	@$(MAKE) --no-print-directory build
	@echo "2/2 starting the demo with its data in $(DATA); stop it with Ctrl-C"
	@bin/skein serve --dev --data $(DATA)

.PHONY: cluster
cluster: ## build and run three nodes on PostgreSQL behind a balancer; CLUSTER='--nodes 5 --port 7000': others
	@scripts/install.sh postgresql
	@$(MAKE) --no-print-directory build
	@bin/skein-cluster $(CLUSTER)

.PHONY: build
build: ## build bin/skein, the load generator bin/skein-bench, and bin/skein-cluster of make cluster
	@mkdir -p bin
	@go build -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/ ./cmd/skein ./cmd/skein-bench ./cmd/skein-cluster

.PHONY: test
test: ## run everything that CI runs, after installing what it needs
	@scripts/test.sh

.PHONY: check
check: vet format lint generated vulnerabilities ## vet, gofmt, linters, generated files, known vulnerabilities

.PHONY: vet
vet: # of the tools: the linters vet the rest
	go vet -C tools ./...

.PHONY: format
format:
	@wrong=$$(gofmt -l .); \
	if [ -n "$$wrong" ]; then echo "gofmt -w would change: $$wrong"; exit 1; fi

.PHONY: lint
lint: bin/golangci-lint
	bin/golangci-lint run ./...

.PHONY: generated
generated:
	@scripts/generated.sh

.PHONY: vulnerabilities
vulnerabilities: bin/govulncheck
	@scripts/vulnerabilities.sh

# The linters have a module of their own, so that none of what they need is needed
# by the server.
bin/golangci-lint bin/govulncheck: tools/go.mod tools/go.sum
	@mkdir -p bin
	go build -C tools -ldflags '-s -w' -o ../bin/ tool
	@touch bin/golangci-lint bin/govulncheck

.PHONY: gen
gen: ## write the generated files anew: api/ and docs/api/
	go generate ./...

.PHONY: image
image: ## build the container image skein:VERSION
	docker build -f deploy/Dockerfile --build-arg VERSION=$(VERSION) --build-arg COMMIT=$(COMMIT) -t skein:$(VERSION) -t skein:latest .

.PHONY: chart
chart: ## render the Helm chart with Helm, check it against Kubernetes' types, write deploy/helm/rendered: after each change of the chart
	go run -C tools/chart .

.PHONY: schema
schema: build ## keep a store of the newest schema, for later versions to be upgraded from: part of each release
	SKEIN_RECORD_SCHEMA=$$(ls internal/store/sqlite/migrations/*.sql | tail -1 | xargs basename | cut -c1-5) SKEIN_E2E_BIN=$(CURDIR)/bin/skein go test -count=1 -run TestAStoreOfEverySchemaAnswersWhatItDid ./e2e

.PHONY: bench
bench: build ## measure the built binary and write what was measured into docs/performance.md
	bin/skein-bench --json bin/bench.json --svg docs/images/performance.svg --markdown docs/performance.md

.PHONY: microbench
microbench: ## run the Go benchmarks, of parts and of starting
	go test -run '^$$' -bench . -skip 'Curve|Churn|Chaos' -benchmem $$(go list ./... | grep -v skein/bench$$)
	go test -run '^$$' -bench . -skip Curve -benchtime 5x -timeout 30m ./bench

.PHONY: bench-cluster
bench-cluster: build ## measure one to three nodes on a PostgreSQL beside the embedded store; about half an hour
	bin/skein-bench --nodes 0,1,2,3 --json bin/bench-cluster.json

.PHONY: scale
scale: ## compute the tables and the plot of docs/scale.md anew from the unit costs in internal/bench/scale
	go run ./internal/bench/scale

.PHONY: curves
curves: ## measure what must not grow with what lies stored and write its curves into docs/performance.md; LARGE=1: to 10 million
	@mkdir -p bin
	set -o pipefail; go test -run '^$$' -bench Curve -benchtime 1x -timeout 2h ./internal/store/sqlite $(if $(LARGE),-curve.large) | tee bin/curves.txt
	set -o pipefail; go test -run '^$$' -bench Curve -benchtime 1x -timeout 30m ./bench | tee -a bin/curves.txt
	go run ./internal/bench/curves -commit $(COMMIT) -markdown docs/performance.md -svg docs/images/curves.svg bin/curves.txt

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (3s)
	@FUZZTIME=$(FUZZTIME) scripts/fuzz.sh

.PHONY: chaos
chaos: ## kill, stop and cut off the server for CHAOS_TIME (1h) and check what its clients saw
	go test ./chaos -count=1 -timeout 0 -v -run '^TestChaos$$' -chaos.duration $(CHAOS_TIME) -chaos.seed $(CHAOS_SEED)

.PHONY: churn
churn: ## send, expire and purge on PostgreSQL for CHURN_TIME (1h), and print the sizes of its tables; see docs/decisions/0026
	go test ./internal/store/postgres -count=1 -timeout 0 -run '^$$' -bench '^BenchmarkChurn$$' -benchtime 1x -churn.time $(CHURN_TIME)

.PHONY: chaos-cluster
chaos-cluster: ## three nodes as processes, a PostgreSQL that fails over and NATS, for CHAOS_TIME (1h); as root also cuts between them
	go test ./chaos -count=1 -timeout 0 -v -run '^TestCluster$$' -chaos.duration $(CHAOS_TIME) -chaos.seed $(CHAOS_SEED)

# How many messages make chaos-webhooks sends.
CHAOS_EVENTS ?= 100000

.PHONY: chaos-webhooks
chaos-webhooks: ## deliver CHAOS_EVENTS (100000) events of webhooks while nodes, database and receiver are killed; about ten minutes
	go test ./chaos -count=1 -timeout 0 -run '^$$' -bench '^BenchmarkChaosWebhooks$$' -benchtime 1x -chaos.events $(CHAOS_EVENTS) -chaos.seed $(CHAOS_SEED)

.PHONY: chaos-nodes
chaos-nodes: ## three nodes in one process on a bus that loses a tenth of the events, for CHAOS_TIME (1h)
	go test ./chaos -count=1 -timeout 0 -v -run '^TestNodes$$' -chaos.duration $(CHAOS_TIME) -chaos.seed $(CHAOS_SEED)
