#!/usr/bin/env bash
# Reads the API documents with the tools of those who make clients: the linters have
# nothing to say, and the types of openapi-typescript fit a program.
set -euo pipefail
cd "$(dirname "$0")/.."

at=bin/clients # what is installed is in no commit
mkdir -p "$at"
cp tools/clients/{package.json,package-lock.json,redocly.yaml,.spectral.yaml,asyncapi.mjs,calls.ts} api/openapi.yaml api/asyncapi.yaml "$at"
cd "$at"
if ! cmp -s package-lock.json node_modules/.installed; then
	if ! command -v npm >/dev/null || ! npm ci --no-audit --no-fund --ignore-scripts >npm.log 2>&1; then
		echo "clients: npm cannot install what reads the documents" | tee -a "${SKIPS:-/dev/null}"
		exit 0
	fi
	cp package-lock.json node_modules/.installed
fi
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
npx redocly lint openapi.yaml
npx spectral lint --fail-severity hint openapi.yaml asyncapi.yaml
node asyncapi.mjs asyncapi.yaml
npx openapi-typescript openapi.yaml -o schema.d.ts
npx tsc --noEmit --strict --skipLibCheck --target es2022 --module esnext --moduleResolution bundler calls.ts
