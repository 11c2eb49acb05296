package share

import (
	"testing"
	"time"
)

func TestAHolderHasItsRateAndItsBurst(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	r := NewRates(10, 2*time.Second)
	for i := range 20 {
		if !r.Charge("a", 1, now) {
			t.Fatalf("%d of a burst of 20 were refused", i+1)
		}
	}
	if r.Charge("a", 1, now) {
		t.Error("one more than the burst was let through")
	}
	if !r.Charge("b", 20, now) {
		t.Error("another holder was refused")
	}
	if !r.Charge("a", 1, now.Add(100*time.Millisecond)) || r.Charge("a", 1, now.Add(100*time.Millisecond)) {
		t.Error("a tenth of a second later: want one more, and not two")
	}
	if !r.Charge("a", 1, now.Add(-time.Hour)) {
		t.Error("after the clock was set back: refused")
	}
	for range 1000 {
		if !NewRates(-1, time.Second).Charge("a", 1, now) {
			t.Fatal("without a bound: refused")
		}
	}
}
