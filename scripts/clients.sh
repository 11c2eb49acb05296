#!/usr/bin/env bash
# Reads the API documents with the tools of those who make clients: the linters have
# nothing to say, and the clients that oapi-codegen and openapi-typescript make of
# them call a server.
set -euo pipefail
cd "$(dirname "$0")/.."

top=$PWD
at=bin/clients # what npm installs is in no commit
work=$(mktemp -d)
server=
stop() {
	[[ -z $server ]] || { kill "$server" && wait "$server" || true; } 2>/dev/null
	server=
	rm -rf "$work/data"
}
finish() {
	stop
	rm -rf "$work"
}
trap finish EXIT

skip() { echo "clients: $1" | tee -a "${SKIPS:-/dev/null}"; }

# serve starts the demo anew, on free ports, and sets url.
serve() {
	stop
	bin/skein serve --dev --addr 127.0.0.1:0 --admin-addr 127.0.0.1:0 --data "$work/data" >"$work/server.log" 2>&1 &
	server=$!
	url=
	for _ in {1..600}; do
		url=$(sed -n 's|^Skein listens on \(http://[^ ]*\).*|\1|p' "$work/server.log")
		[[ -z $url ]] || return 0
		kill -0 "$server" 2>/dev/null || break
		sleep 0.05
	done
	cat "$work/server.log"
	return 1
}

# go_client makes each call of the reference with the client of oapi-codegen.
go_client() {
	local go=$work/go
	mkdir -p "$go/api"
	cp tools/clients/go/* "$go"
	if ! go build -C tools -o "$work/" github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen || ! go mod download -C "$go"; then
		skip "Go cannot fetch oapi-codegen or what its client needs"
		return 0
	fi
	"$work/oapi-codegen" -generate types,client -package api -o "$go/api/api.go" api/openapi.yaml
	go vet -C "$go" ./...
	go test -C "$go" -count=1 ./... -server "$url" -document "$top/api/openapi.yaml" -reference "$top/docs/api/en.md"
}

# npm_tools lint the documents, and a program with the types of openapi-typescript
# makes each call of the reference.
npm_tools() {
	mkdir -p "$at"
	cp tools/clients/{package.json,package-lock.json,lint.mjs,calls.mjs} api/openapi.yaml api/asyncapi.yaml "$at"
	cd "$at"
	if ! cmp -s package-lock.json node_modules/.installed; then
		if ! command -v npm >/dev/null || ! npm ci --no-audit --no-fund --ignore-scripts >npm.log 2>&1; then
			skip "npm cannot install what reads the documents"
			return 0
		fi
		cp package-lock.json node_modules/.installed
	fi
	node lint.mjs openapi.yaml asyncapi.yaml
	node_modules/.bin/openapi-typescript openapi.yaml -o schema.d.ts
	node calls.mjs openapi.yaml "$top/docs/api/en.md" >calls.ts
	node_modules/.bin/tsc --strict --skipLibCheck --target es2022 --module esnext --moduleResolution bundler calls.ts
	node calls.js "$url"
}

# BUILT says that bin/ has just been built, and that others run what is in it.
[[ ${BUILT:-} ]] || make --no-print-directory build
serve
go_client
serve # the examples are for one that is fresh
npm_tools
