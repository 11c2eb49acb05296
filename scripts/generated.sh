#!/usr/bin/env bash
# Fails when `make gen` would change a file, and leaves the tree as it was.
set -euo pipefail
cd "$(dirname "$0")/.."

kept=$(mktemp -d)
trap 'rm -rf "$kept"' EXIT
dirs=(api docs/api internal/store/sqlite/migrations/landed)
mkdir -p "${dirs[@]}"
cp -r --parents "${dirs[@]}" "$kept"

go generate ./...

status=0
for dir in "${dirs[@]}"; do
	if ! diff -r "$kept/$dir" "$dir"; then
		echo "$dir is not up to date: run make gen"
		status=1
		rm -rf "$dir"
		cp -r "$kept/$dir" "$dir"
	fi
done
exit $status
