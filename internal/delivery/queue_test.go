package delivery

import (
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
)

// eventsOf are n events of one app, numbered from 1.
func eventsOf(app string, n int) []bus.Event {
	events := make([]bus.Event, n)
	for i := range events {
		events[i] = bus.Event{App: app, Conv: skein.ID{1}, Seq: int64(i + 1)}
	}
	return events
}

// An app whose events cost a lot waits for the others: between two of its events they
// have as much time as one of them took.
func TestAppsTakeTurnsByWhatTheirEventsCost(t *testing.T) {
	q := newQueue()
	for _, e := range append(eventsOf("flood", 100), eventsOf("calm", 50)...) {
		q.put(e)
	}
	last, floods := map[string]int64{}, 0
	for last["calm"] < 50 {
		e, line := q.take()
		if e.Seq != last[e.App]+1 {
			t.Fatalf("%s: event %d follows %d", e.App, e.Seq, last[e.App])
		}
		last[e.App] = e.Seq
		took := time.Millisecond
		if e.App == "flood" {
			took, floods = 25*time.Millisecond, floods+1
		}
		q.settle(line, took)
	}
	if floods > 3 {
		t.Errorf("%d events of 25 ms were delivered before 50 of 1 ms that another app had, want at most 3", floods)
	}
}

func TestAnAppThatFillsItsShareLeavesRoomForOthers(t *testing.T) {
	for name, e := range map[string]bus.Event{
		"in number": {App: "flood"},
		"in bytes":  {App: "flood", Frame: make([]byte, queueBytes/100)},
	} {
		q := newQueue()
		taken := 0
		for q.put(e) {
			taken++
		}
		if taken == 0 || taken > queueLength {
			t.Errorf("%s: the flood had room for %d events", name, taken)
		}
		for _, calm := range eventsOf("calm", 10) {
			if !q.put(calm) {
				t.Fatalf("%s: an event of another app had no room beside %d of the flood", name, taken)
			}
		}
	}
}

func TestAClosedQueueGivesWhatWaitsAndThenNothing(t *testing.T) {
	q := newQueue()
	q.put(eventsOf("shop", 1)[0])
	q.close()
	if q.put(eventsOf("shop", 1)[0]) {
		t.Error("a closed queue took an event")
	}
	e, line := q.take()
	if line == nil || e.Seq != 1 {
		t.Fatalf("got %+v, want what waited at the close", e)
	}
	q.settle(line, 0)
	if e, line := q.take(); line != nil {
		t.Errorf("got %+v, want nothing", e)
	}
	if q.room.Taken() != 0 || len(q.lengths) != 0 {
		t.Errorf("%d bytes of %v are still counted", q.room.Taken(), q.lengths)
	}
}
