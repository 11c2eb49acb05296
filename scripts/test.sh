#!/usr/bin/env bash
# Runs everything that can be known about this tree: tests of all packages and of
# the contracts, the built binary from outside, linters, fuzz targets for some
# seconds each, known vulnerabilities. It goes on after a failure, so that one run
# tells all, and names what it had to skip. With CI=true a skip is a failure; only
# the vulnerability database may be out of reach.
#
# The tests of the built binary wait half of their time, so the other steps run beside
# them, with a lower priority. What those say is shown when all is done.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

work=$(mktemp -d)
export SKIPS=$work/skips # one line for each thing that could not be tried
touch "$SKIPS" "$work/failed" "$work/took"
lanes=()
finish() {
	local lane
	for lane in "${lanes[@]}"; do kill -- "-$lane"; done
	rm -rf "$work"
}
trap finish EXIT

step() { # name, command …
	local name=$1 start=$SECONDS
	shift
	printf '\n== %s\n' "$name"
	"$@" || echo "$name" >>"$work/failed"
	printf '%4ds  %s\n' $((SECONDS - start)) "$name" >>"$work/took"
}

# beside runs a function that takes steps while the script goes on, in a process group
# of its own, so that nothing of it outlives a script that is interrupted.
beside() { # function
	set -m
	(
		renice -n 10 -p $BASHPID >/dev/null
		"$1"
	) >"$work/$1.log" 2>&1 &
	set +m
	lanes+=($!)
}

# tests runs Go tests and shows what failed and was skipped. The linters vet the code.
tests() { go test -vet=off -json "$@" | bin/testreport -skips "$SKIPS"; }

# memory is a directory in memory where there is one with room, for stores that need
# no disk: the tests of lost power and of syncs bring their own, or watch the syscalls.
memory() {
	local free
	free=$(df --output=avail -k /dev/shm 2>/dev/null | tail -1)
	if ((${free:-0} > 1 << 20)); then echo /dev/shm; else echo "${TMPDIR:-/tmp}"; fi
}

# uninstrumented keeps the race detector out of what SQLite was translated to, which is
# one goroutine's at a time and takes ten times as long with it. What calls it is watched,
# the driver too, so that two goroutines at one connection are still seen.
uninstrumented=-gcflags=github.com/ncruces/go-sqlite3-wasm/...=-race=false

# concurrent says whether a package, or its tests, starts goroutines or shares memory between
# them. Only there the race detector can find something; it makes every test dearer.
concurrent() { grep -qE '\bgo func\(|\.Go\(|^[[:space:]]*go [a-zA-Z.]+\(|sync\.|atomic\.|synctest\.' "$1"/*.go; }

# plain are tests that run without the race detector all the same: those of allocations, since
# it allocates; those of one goroutine that damage a log thousands of times; and the contract
# over SQLite and over two caches, since the contract over one cache of SQLite runs with it; and
# that over PostgreSQL, whose tests of races run with it. The models of the cache run both ways:
# with it they see few worlds.
plain='Alloc|NeverAnswered|AnyByteOfTheLog|^TestSQLite$|^TestPostgres$|^TestTwoCachesContract$'

# unit leaves out what has a step of its own. Against PostgreSQL the models try fewer worlds,
# since each call is a round trip.
unit() {
	local dir with=() without=() again=() status=0
	local -x GOTMPDIR=${TMPDIR:-/tmp} TMPDIR
	TMPDIR=$(memory)
	for dir in $(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}{{end}}' ./... | grep -vE '/(e2e|bench|chaos)$'); do
		if ! concurrent "$dir"; then
			without+=("$dir")
			continue
		fi
		with+=("$dir")
		if [[ $dir != */store/postgres ]] && grep -qE "^func (Test.*Alloc|Test.*(NeverAnswered|AnyByteOfTheLog)|TestSQLite\(|TestTwoCachesContract\(|Test.*Mirrors?TheEngine)" "$dir"/*_test.go; then
			again+=("$dir")
		fi
	done
	tests -race "$uninstrumented" -shuffle=on -skip "$plain" "${with[@]}" || status=1
	tests -shuffle=on "${without[@]}" || status=1
	tests -shuffle=on -run "$plain|Mirrors?TheEngine" "${again[@]}" || status=1
	tests -run '^TestPostgres$' ./internal/store/postgres -rapid.checks=10 || status=1
	go test -C tools ./... || status=1
	return $status
}

# end_to_end tests the binary that is shipped. What the tests see depends on more
# than Go files, so no result is taken from the cache.
end_to_end() {
	local -x GOTMPDIR=${TMPDIR:-/tmp} TMPDIR
	TMPDIR=$(memory)
	SKEIN_E2E_BIN=$PWD/bin/skein tests -count=1 -timeout 10m ./e2e
}

# chaos plays one short round of `make chaos` on a server of its own build.
chaos() { tests -count=1 -timeout 5m ./chaos; }

web() {
	if ! command -v node >/dev/null; then
		echo "web/test: no node to run it" >>"$SKIPS"
		return 0
	fi
	node --test --test-reporter=dot web/test/*.test.js
}

# build also compares the generated files, which no other step may read meanwhile.
build() {
	go build -C tools -o ../bin/testreport ./testreport && make --no-print-directory build generated
}

tested() { step "unit and contract tests" unit; }

checked() {
	step "check" make --no-print-directory --keep-going vet format lint vulnerabilities
	step "web" web
	step "clients" scripts/clients.sh
	step "fuzz" make --no-print-directory fuzz
}

step "install" scripts/install.sh
step "build" build
beside tested
beside checked
step "end to end" end_to_end
step "chaos" chaos
wait "${lanes[@]}"
lanes=()
cat "$work/tested.log" "$work/checked.log"

printf '\n== times\n'
cat "$work/took"

status=0
if [[ -s $SKIPS ]]; then
	printf '\n== skipped\n'
	cat "$SKIPS"
	if [[ ${CI:-} == true ]] && grep -qv '^vulnerability database' "$SKIPS"; then
		echo "In CI nothing may be skipped but the vulnerability database."
		status=1
	fi
fi
if [[ -s $work/failed ]]; then
	printf '\n== failed\n'
	cat "$work/failed"
	status=1
fi
((status)) || printf '\nAll good.\n'
exit $status
