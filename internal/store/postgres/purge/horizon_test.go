package purge

import (
	"testing"
	"time"
)

func TestTheHorizonAgesWhileATransactionStaysOpen(t *testing.T) {
	var h horizon
	for i, step := range []struct {
		after        time.Duration
		oldest, next int64
		want         time.Duration
	}{
		{0, 5, 5, 0}, // nothing is open
		{5 * time.Second, 7, 9, 0},
		{10 * time.Second, 7, 20, 5 * time.Second}, // 7 is still open
		{15 * time.Second, 7, 30, 10 * time.Second},
		{20 * time.Second, 25, 40, 5 * time.Second}, // 7 ended; 25 began before the step at 15 s
		{25 * time.Second, 50, 50, 0},
	} {
		if got := h.age(time.Unix(0, 0).Add(step.after), step.oldest, step.next); got != step.want {
			t.Errorf("step %d, oldest %d of %d: got %v, want %v", i, step.oldest, step.next, got, step.want)
		}
	}
}
