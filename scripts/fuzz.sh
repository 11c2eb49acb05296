#!/usr/bin/env bash
# Runs each fuzz target of the module for FUZZTIME. What it finds is kept by go
# test in the package's testdata/fuzz, where every later test run tries it again.
set -euo pipefail
cd "$(dirname "$0")/.."

status=0
while IFS=: read -r file declaration; do
	target=${declaration#func }
	target=${target%%(*}
	echo "$target in $(dirname "$file")"
	go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-5s}" "./$(dirname "$file")" || status=1
done < <(grep -ro --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*(' . | sort)
exit $status
