package engine

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// queued makes jobs of an app and puts them into the queue, each as a call of its own.
func queued(t *testing.T, q *queue, app string, rows, n int) {
	t.Helper()
	for range n {
		j := &Job{App: app, Rows: rows, call: &call{left: 1, done: make(chan struct{})}}
		if why, err := q.put([]*Job{j}); err != nil {
			t.Fatalf("app %s: refused for %s: %v", app, why, err)
		}
	}
}

// The order of two apps' jobs follows from what they cost: the messages of one come
// after one creation of the other, however many creations waited before them.
func TestJobsAreTakenByWhatTheyCost(t *testing.T) {
	q := newQueue(16_384, 64<<20)
	queued(t, q, "flood", 2000, 50) // 40 ms each
	queued(t, q, "quiet", 1, 100)
	var groups []string
	for q.Depth() > 0 {
		jobs := q.take(nil, maxGroup, groupBudget)
		of, took := make(map[string]int), time.Duration(0)
		for _, j := range jobs {
			of[j.App]++
			j.took = j.cost
			took += j.took
		}
		q.settle(jobs, took)
		groups = append(groups, fmt.Sprint(of))
	}
	want := []string{"map[flood:1]", "map[quiet:100]", "map[flood:1]"}
	if len(groups) != 51 || !slices.Equal(groups[:3], want) {
		t.Fatalf("got %d groups, the first %v, want 51 and %v", len(groups), groups[:3], want)
	}
}

// What a job was guessed to cost matters once: what it did cost is charged.
func TestAWrongGuessIsChargedAfterwards(t *testing.T) {
	q := newQueue(16_384, 64<<20)
	queued(t, q, "flood", 1, 50)
	queued(t, q, "quiet", 1, 50)
	ran := make(map[string]int)
	for ran["quiet"] < 50 {
		jobs := q.take(nil, 1, groupBudget)
		jobs[0].took = time.Millisecond
		if jobs[0].App == "flood" {
			jobs[0].took = 50 * time.Millisecond
		}
		q.settle(jobs, jobs[0].took)
		ran[jobs[0].App]++
	}
	if ran["flood"] > 2 {
		t.Errorf("got %d jobs of 50 ms before the 50 of 1 ms of another app were done, want at most 2", ran["flood"])
	}
}
