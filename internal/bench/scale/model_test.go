package main

import (
	"math"
	"os"
	"strings"
	"testing"

	"github.com/skein-im/skein/internal/bench/report"
)

func TestThePageIsWhatTheModelSays(t *testing.T) {
	page, err := os.ReadFile("../../../docs/scale.md")
	if err != nil {
		t.Fatal(err)
	}
	if want, err := report.RewriteSection(page, "make scale", tables()); err != nil || string(want) != string(page) {
		t.Errorf("docs/scale.md is not what the model says (%v): run make scale", err)
	}
	if got, err := os.ReadFile("../../../docs/images/scale.svg"); err != nil || string(got) != plot(report.Style) {
		t.Errorf("docs/images/scale.svg is not what the model says (%v): run make scale", err)
	}
}

func TestMoreWorkNeedsNoFewerMachines(t *testing.T) {
	for _, directed := range []bool{false, true} {
		last := plan{}
		for _, more := range []float64{1, 2, 10, 50, 100} {
			p := need(load{1e5 * more, 1e4 * more, 3, 6}, measured, bought, directed)
			if p.nodes < last.nodes || p.databases < last.databases || p.nodeCores < last.nodeCores {
				t.Errorf("directed %v, %v times the load: got %+v after %+v", directed, more, p, last)
			}
			last = p
		}
	}
}

func TestEventsToAllNodesHaveALimitThatNoNodeLifts(t *testing.T) {
	limit := bought.cores * bought.use / (measured.event * micro) // a node does nothing else
	for rate, want := range map[float64]bool{limit * 0.9: false, limit: true, limit * 2: true} {
		p := need(load{messages: rate, audience: 3}, measured, bought, false)
		if got := math.IsInf(p.nodes, 1); got != want {
			t.Errorf("%.0f events a second to all nodes: got %v nodes; that no number is enough: want %v", rate, p.nodes, want)
		}
		if p := need(load{messages: rate, audience: 3}, measured, bought, true); math.IsInf(p.nodes, 1) {
			t.Errorf("%.0f events a second to nodes with members: got %v nodes", rate, p.nodes)
		}
	}
}

func TestSocketsThatSayNothingNeedMemory(t *testing.T) {
	if p := need(load{online: 1e7}, measured, bought, true); p.nodes != math.Ceil(1e7*measured.socketBytes/bought.memory) {
		t.Errorf("ten million sockets: got %v nodes", p.nodes)
	}
}

func TestACommitWaitsLongerTheFullerItsCommitter(t *testing.T) {
	full := 1 / (measured.database * micro)
	last := 0.0
	for _, part := range []float64{0.01, 0.3, 0.6, 0.9} {
		p50, p99 := commits(part*full, trip, measured.database*micro, seed)
		if p50 < 1000*trip || p99 < p50 || p50 < last {
			t.Errorf("%v of what fits: got p50 %v ms, p99 %v ms after a p50 of %v; want no less than a trip", part, p50, p99, last)
		}
		last = p50
		if again, _ := commits(part*full, trip, measured.database*micro, seed); again != p50 {
			t.Errorf("%v of what fits, again: got p50 %v, want %v", part, again, p50)
		}
	}
}

func TestFiguresAreShort(t *testing.T) {
	for f, want := range map[float64]string{0.01: "0.01", 3.6: "3.6", 50: "50", 1234: "1,234", 1e6: "1,000,000", math.Inf(1): "no number is enough"} {
		if got := short(f); got != want {
			t.Errorf("%v: got %q, want %q", f, got, want)
		}
	}
	if got := bytesOf(30.24e12); !strings.HasPrefix(got, "30.2 TB") {
		t.Errorf("got %q, want 30.2 TB", got)
	}
}
