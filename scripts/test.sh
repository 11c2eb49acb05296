#!/usr/bin/env bash
# Runs everything that can be known about this tree: tests of all packages and of
# the contracts, the built binary from outside, linters, known vulnerabilities. The
# inputs of the fuzz targets are tests of their packages; to look for new ones is
# `make fuzz`. It goes on after a failure, so that one run tells all, and names what
# it had to skip. With CI=true a skip is a failure; only
# the vulnerability database may be out of reach.
#
# The steps run side by side in lanes, so that no processor is idle while a test waits. The
# tests of the built binary wait half of their time and have priority. What the other lanes
# say is shown when all is done, and what failed once more at the end.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

work=$(mktemp -d)
export SKIPS=$work/skips # one line for each thing that could not be tried
touch "$SKIPS" "$work/failed" "$work/failures" "$work/took"
lanes=()
finish() {
	local lane
	for lane in "${lanes[@]}"; do kill -- "-$lane"; done
	rm -rf "$work"
}
trap finish EXIT

# measure sets spent to the CPU time, in seconds, of all that this shell has waited for.
measure() {
	local file=$work/times.$BASHPID
	times >"$file" # in a pipe it would be another shell's
	spent=$(awk -F'[ms ]+' 'NR == 2 { printf "%d", 60 * $1 + $2 + 60 * $3 + $4 }' "$file")
}

step() { # name, command …
	local name=$1 start=$SECONDS spent before
	shift
	measure
	before=$spent
	printf '\n== %s\n' "$name"
	"$@" || echo "$name" >>"$work/failed"
	measure
	printf '%4ds, CPU %4ds  %s\n' $((SECONDS - start)) $((spent - before)) "$name" >>"$work/took"
}

# beside runs a function that takes steps while the script goes on, with a lower priority and
# in a process group of its own, so that nothing of it outlives a script that is interrupted.
beside() { # function
	set -m
	(
		renice -n 5 -p $BASHPID >/dev/null
		"$1"
	) >"$work/$1.log" 2>&1 &
	set +m
	lanes+=($!)
}

# tests runs Go tests and shows what failed, how to run it again, and what was skipped. The
# linters vet the code. The limit is one for tests that hang: on a busy machine some take long.
tests() {
	local arg again=()
	for arg; do [[ $arg != -race && $arg != -gcflags=* && $arg != -rapid.* ]] || again+=("$arg"); done
	go test -vet=off -json -timeout 40m "$@" |
		bin/testreport -skips "$SKIPS" -failures "$work/failures" -flags "${again[*]}"
}

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
concurrent() { grep -qE '\bgo func\(|\.Go\(|^[[:space:]]*go [a-zA-Z.]+\(|\b(sync|atomic|synctest)\.[A-Z]' "$1"/*.go; }

# plain are tests that run without the race detector all the same: those of allocations, since
# it allocates; those of one goroutine that damage a log thousands of times; and the contract
# over SQLite and over two caches, since the contract over one cache of SQLite runs with it; and
# that over PostgreSQL, whose tests of races run with it; and the models of the cache, which are one
# goroutine's.
plain='Alloc|NeverAnswered|AnyByteOfTheLog|^TestSQLite$|^TestPostgres$|^TestTwoCachesContract$|Mirrors?TheEngine$'

# packages lists the directories of those with tests, without those that have a step of their
# own. It ends with the small ones, so that no large one begins last.
packages() {
	go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}{{end}}' ./... | grep -vE '/(e2e|bench|chaos)$' |
		awk '{ print !/\/(store\/(cache|postgres|sqlite)|portable\/leancloud)$/, $0 }' | sort | cut -d' ' -f2
}

# watched runs with the race detector what it can find something in. GORACE: a test binary
# waits a second at its end otherwise, for reports that none of its goroutines is left to make.
watched() {
	local dir with=()
	local -x GOTMPDIR=${TMPDIR:-/tmp} TMPDIR GORACE=atexit_sleep_ms=50
	TMPDIR=$(memory)
	for dir in $(packages); do
		if concurrent "$dir"; then with+=("$dir"); fi
	done
	tests -race "$uninstrumented" -shuffle=on -skip "$plain" "${with[@]}"
}

# unwatched runs the rest. The same model runs on several stores, and tries all its worlds on
# one handle of SQLite: fewer on two caches, and fewest on PostgreSQL, where each call is a
# round trip.
unwatched() {
	local dir without=() again=() status=0
	local -x GOTMPDIR=${TMPDIR:-/tmp} TMPDIR
	TMPDIR=$(memory)
	for dir in $(packages); do
		if ! concurrent "$dir"; then
			without+=("$dir")
		elif [[ $dir != */store/postgres && $dir != */store/cache ]] &&
			grep -qE "^func (Test.*Alloc|Test.*(NeverAnswered|AnyByteOfTheLog)|TestSQLite\()" "$dir"/*_test.go; then
			again+=("$dir")
		fi
	done
	tests -run '^TestPostgres$' ./internal/store/postgres -rapid.checks=10 || status=1
	tests -run "$plain" ./internal/store/cache -rapid.checks=25 || status=1
	tests -shuffle=on -run "$plain" "${again[@]}" || status=1
	tests -shuffle=on "${without[@]}" || status=1
	go test -C tools ./... || status=1
	return $status
}

# end_to_end tests the binary that is shipped. What the tests see depends on more
# than Go files, so no result is taken from the cache.
end_to_end() {
	local -x GOTMPDIR=${TMPDIR:-/tmp} TMPDIR
	TMPDIR=$(memory)
	SKEIN_E2E_BIN=$PWD/bin/skein tests -count=1 ./e2e
}

# chaos plays one short round of `make chaos` and `make chaos-nodes`, on servers of their own build. That of
# `make chaos-cluster` costs a minute of CPU, for which these 15 minutes have no room yet.
chaos() { tests -count=1 -skip '^TestCluster$' ./chaos; }

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

raced() { step "tests with the race detector" watched; }

tested() { step "tests without it" unwatched; }

checked() {
	step "clients" scripts/clients.sh
	step "web" web
	step "check" make --no-print-directory --keep-going vet format lint vulnerabilities
}

step "install" scripts/install.sh
step "build" build
export BUILT=1
beside raced
beside tested
beside checked
step "end to end" end_to_end
step "chaos" chaos
wait "${lanes[@]}"
lanes=()
cat "$work/raced.log" "$work/tested.log" "$work/checked.log"

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
	tail -c 32768 "$work/failures"
	status=1
fi
((status)) || printf '\nAll good.\n'
exit $status
