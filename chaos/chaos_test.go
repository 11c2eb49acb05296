package chaos

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var (
	seedFlag     = flag.Uint64("chaos.seed", 0, "seed of the first round; 0: any")
	durationFlag = flag.Duration("chaos.duration", 10*time.Second, "how long the faults go on in all; rounds follow each other")
	roundFlag    = flag.Duration("chaos.round", 45*time.Second, "the longest round")
	keepFlag     = flag.String("chaos.keep", "", "directory that keeps the logs of all rounds")
	historyFlag  = flag.String("chaos.history", "", "check this history of an earlier run, and play none")
)

// TestChaos plays rounds until the time is over, each with the next seed, and stops
// at the first in which a promise was broken.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("a round takes its time")
	}
	if *historyFlag != "" {
		checkKept(t, *historyFlag)
		return
	}
	dir := keptDir(t)
	program, err := build(dir)
	if err != nil {
		t.Fatal(err)
	}
	playRounds(t, dir, func(dir string, _ uint64) (system, error) { return newServer(program, dir) })
}

// keptDir is where the logs of the rounds are.
func keptDir(t *testing.T) string {
	t.Helper()
	dir := *keepFlag
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "skein-chaos-"); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// playRounds plays rounds until the time is over, each on a system of its own.
func playRounds(t *testing.T, dir string, open func(dir string, seed uint64) (system, error)) {
	t.Helper()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64N(1_000_000)
	}
	for left := *durationFlag; left > 0; seed++ {
		length := min(left, *roundFlag)
		left -= length
		if !playRound(t, filepath.Join(dir, fmt.Sprintf("seed-%d", seed)), seed, length, open) {
			return
		}
	}
	if *keepFlag == "" {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	}
}

// playRound plays and checks one round. The logs of a bad one stay where they are.
func playRound(t *testing.T, dir string, seed uint64, length time.Duration, open func(string, uint64) (system, error)) bool {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	on, err := open(dir, seed)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	events, err := play(on, dir, seed, length)
	if err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
	played := time.Since(began)
	if found := check(events); err == nil && len(found) > 0 {
		t.Errorf("seed %d: %d breaches\n%s", seed, len(found), report(found))
	}
	if t.Failed() {
		t.Errorf("history and log: %s\nthe plan and the choices again, in other timing:\n  go test ./chaos -run '^%s$' -chaos.seed %d -chaos.duration %v", dir, t.Name(), seed, length)
		return false
	}
	t.Logf("seed %d: %s in %v, checked in %v", seed, tally(events), played.Round(time.Millisecond), (time.Since(began) - played).Round(time.Millisecond))
	if *keepFlag == "" {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	}
	return true
}

// tally says in numbers what a round was.
func tally(events []event) string {
	n := map[kind]int{}
	stored := 0
	for _, e := range events {
		n[e.Kind]++
		if e.Kind == kindTruth {
			stored += len(e.Messages)
		}
	}
	return fmt.Sprintf("%d messages, %d faults, %d logins, %d calls of which %d without an answer, %d live, %d taken, %d changes applied",
		stored, n[kindFault], n[kindLogin], n[kindCall], n[kindLost], n[kindLive], n[kindTake], n[kindApply])
}

// checkKept checks a history of an earlier run.
func checkKept(t *testing.T, path string) {
	t.Helper()
	events, err := readHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	if found := check(events); len(found) > 0 {
		t.Errorf("%d breaches\n%s", len(found), report(found))
	}
}
