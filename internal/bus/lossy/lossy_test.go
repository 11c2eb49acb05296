package lossy_test

import (
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/bus/bustest"
	"github.com/skein-im/skein/internal/bus/lossy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Without faults it keeps the contract.
func TestLossyContract(t *testing.T) {
	bustest.Run(t, func(t *testing.T) []bus.Bus {
		n := lossy.New(3, 1, lossy.Faults{})
		t.Cleanup(n.Close)
		return n.Nodes()
	})
}

func TestFaultsHappenAtTheirRates(t *testing.T) {
	const events = 4000
	for name, tt := range map[string]struct {
		faults             lossy.Faults
		heard, lost, turns [2]int // least and most
	}{
		"none":    {lossy.Faults{}, [2]int{events, events}, [2]int{}, [2]int{}},
		"loses":   {lossy.Faults{Lose: 0.1}, [2]int{3500, 3700}, [2]int{300, 500}, [2]int{}},
		"doubles": {lossy.Faults{Double: 0.1}, [2]int{4300, 4500}, [2]int{}, [2]int{}},
		"delays":  {lossy.Faults{Delay: 0.1, Longest: time.Millisecond}, [2]int{events, events}, [2]int{}, [2]int{1, events}},
	} {
		n := lossy.New(2, 7, tt.faults)
		var mu sync.Mutex
		last, heard, turns := int64(0), 0, 0
		stop := n.Nodes()[1].Subscribe(func(e *bus.Event) {
			mu.Lock()
			defer mu.Unlock()
			heard++
			if e.Seq < last {
				turns++
			}
			last = e.Seq
		})
		for seq := range int64(events) {
			n.Nodes()[0].Publish(&bus.Event{Seq: seq + 1})
		}
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			mu.Lock()
			arrived := heard
			mu.Unlock()
			if arrived >= tt.heard[0] {
				break
			}
		}
		n.Close()
		stop()
		for what, got := range map[string]struct {
			n      int
			bounds [2]int
		}{"heard": {heard, tt.heard}, "lost": {n.Lost(), tt.lost}, "out of order": {turns, tt.turns}} {
			if got.n < got.bounds[0] || got.n > got.bounds[1] {
				t.Errorf("%s: %d events %s, want %d to %d", name, got.n, what, got.bounds[0], got.bounds[1])
			}
		}
	}
}
