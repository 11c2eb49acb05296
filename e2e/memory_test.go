package e2e

import (
	"strings"
	"testing"
	"time"
)

// A server with work lets garbage gather, and is back to normal once it is quiet.
func TestGarbageGathersWhileThereIsWork(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := demoApp(s)
	one := a.user(t, "one")
	conv := a.group(t, one)
	for range 100 {
		a.send(t, conv, one, strings.Repeat("x", 4000))
	}
	percent := func() float64 { return s.metric(t, "go_gc_gogc_percent") }
	if got := percent(); got != 100 {
		t.Errorf("at first: got %v %%, want the 100 of the runtime", got)
	}
	eventually(t, "garbage gathers", func() bool {
		for range 50 {
			a.must(t, "GET", "/im/conversations/"+conv+"/message?after_seq=0&limit=100", nil)
		}
		return percent() > 100
	})
	eventually(t, "it is collected as usual", func() bool {
		time.Sleep(time.Second) // to ask all the time is work
		return percent() == 100
	})
}
