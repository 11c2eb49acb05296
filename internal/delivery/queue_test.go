package delivery

import (
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
)

// tasksOf are n messages of one app, numbered from 1.
func tasksOf(app string, n int) []task {
	tasks := make([]task, n)
	for i := range tasks {
		at := position{seq: int64(i + 1)}
		tasks[i] = task{app: app, conv: skein.ID{1}, event: &bus.Event{}, first: at, upto: at}
	}
	return tasks
}

// An app whose events cost a lot waits for the others: between two of its events they
// have as much time as one of them took.
func TestAppsTakeTurnsByWhatTheirEventsCost(t *testing.T) {
	q := newQueue(func() {})
	for _, e := range append(tasksOf("flood", 100), tasksOf("calm", 50)...) {
		q.put(e)
	}
	last, floods := map[string]int64{}, 0
	for last["calm"] < 50 {
		e, line := q.take()
		if e.upto.seq != last[e.app]+1 {
			t.Fatalf("%s: event %d follows %d", e.app, e.upto.seq, last[e.app])
		}
		last[e.app] = e.upto.seq
		took := time.Millisecond
		if e.app == "flood" {
			took, floods = 25*time.Millisecond, floods+1
		}
		q.settle(line, took)
	}
	if floods > 3 {
		t.Errorf("%d events of 25 ms were delivered before 50 of 1 ms that another app had, want at most 3", floods)
	}
}

func TestAnAppThatFillsItsShareLeavesRoomForOthers(t *testing.T) {
	for name, e := range map[string]task{
		"in number": {app: "flood"},
		"in bytes":  {app: "flood", event: &bus.Event{Frame: make([]byte, queueBytes/100)}},
	} {
		q := newQueue(func() {})
		taken := 0
		for q.put(e) {
			taken++
		}
		if taken == 0 || taken > queueLength {
			t.Errorf("%s: the flood had room for %d events", name, taken)
		}
		for _, calm := range tasksOf("calm", 10) {
			if !q.put(calm) {
				t.Fatalf("%s: an event of another app had no room beside %d of the flood", name, taken)
			}
		}
	}
}

func TestAClosedQueueGivesWhatWaitsAndThenNothing(t *testing.T) {
	q := newQueue(func() {})
	q.put(tasksOf("shop", 1)[0])
	q.close()
	if q.put(tasksOf("shop", 1)[0]) {
		t.Error("a closed queue took an event")
	}
	e, line := q.take()
	if line == nil || e.upto.seq != 1 {
		t.Fatalf("got %+v, want what waited at the close", e)
	}
	q.settle(line, 0)
	if e, line := q.take(); line != nil {
		t.Errorf("got %+v, want nothing", e)
	}
	if q.space.Taken() != 0 || len(q.lengths) != 0 {
		t.Errorf("%d bytes of %v are still counted", q.space.Taken(), q.lengths)
	}
}
