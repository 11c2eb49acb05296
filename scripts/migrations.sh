#!/usr/bin/env bash
# Adds the sum of each new migration to the list of those that have landed. A landed
# migration is never edited: take its line away only while it is in no release and
# on no branch but yours.
set -euo pipefail
cd "$(dirname "$0")/../internal/store/sqlite/migrations"

list=landed/SHA256SUMS
mkdir -p landed
touch "$list"
for file in *.sql; do
	sum=$(sha256sum "$file")
	known=$(grep "  $file\$" "$list" || true)
	if [ -z "$known" ]; then
		echo "$sum" >>"$list"
	elif [ "$known" != "$sum" ]; then
		echo "$file: a landed migration is never edited: add one" >&2
		exit 1
	fi
done
LC_ALL=C sort -k2 -o "$list" "$list"
