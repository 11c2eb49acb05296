package presence

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein"
)

// comeUnheard and leaveUnheard are come and leave whose event was lost.
func (w *world) comeUnheard(session, client string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sessions[session] = client
}

func (w *world) leaveUnheard(session string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.sessions, session)
}

func TestALostEventIsFoundByARecheck(t *testing.T) {
	inWorld(t, Options{Recheck: 2}, func(w *world) {
		w.come("ann", "Ann/web")
		w.come("1", "Tom/ios")
		w.watchBy("ann", "Tom", "Jerry", "Spike", "Butch")
		pass(2500 * time.Millisecond)
		w.comeUnheard("2", "Jerry/web")
		w.comeUnheard("3", "Spike/web")
		pass(2 * time.Second) // two turns look at all four
		told := w.told("ann")
		if !strings.Contains(told, "Jerry:web") || !strings.Contains(told, "Spike:web") {
			t.Errorf("two came: told %q, want Jerry and Spike", told)
		}
		left := skein.MillisOf(time.Now()) - bubble
		w.leaveUnheard("1")
		pass(2 * time.Second)
		w.check("within the grace", w.told("ann"), "")
		pass(2 * time.Second)
		told = w.told("ann")
		var at skein.Millis
		if _, err := fmt.Sscanf(told, "Tom:-%d", &at); err != nil || at < left || at > left+2000 {
			t.Errorf("one left at %d: told %q, want Tom offline since about then", left, told)
		}
		pass(5 * time.Second)
		w.check("told once", w.told("ann"), "")
	})
}

func TestARecheckReachesEveryClientWhoeverComesAndGoes(t *testing.T) {
	w := newWatches()
	random := rand.New(rand.NewPCG(1, 1))
	visible := func(*target, skein.DeviceSet) skein.DeviceSet { return 0 }
	for range 1000 {
		var list []string
		for range random.IntN(6) {
			if c := fmt.Sprint("c", random.IntN(12)); !strings.Contains(strings.Join(list, " ")+" ", c+" ") {
				list = append(list, c)
			}
		}
		w.replace(subscriber{"shop", "Ann", fmt.Sprint(random.IntN(3))}, list, visible)
		w.take()
		w.markSome(len(w.all))
		looked := w.take()
		if len(looked) != len(w.targets) {
			t.Fatalf("a recheck of %d clients looks at %d", len(w.targets), len(looked))
		}
		for _, at := range looked {
			if w.targets[at.address] != at {
				t.Fatalf("a recheck looks at %v, whom nobody watches", at.address)
			}
		}
	}
}

// The store lost all sessions; their nodes enter them again.
func TestNobodyIsToldOfflineWhileTheStoreMayLackSessions(t *testing.T) {
	inWorld(t, Options{Recheck: 100}, func(w *world) {
		w.come("ann", "Ann/web")
		w.come("1", "Tom/ios")
		w.come("2", "Jerry/ios")
		w.come("3", "Spike/ios")
		w.watchBy("ann", "Tom", "Jerry", "Spike")
		pass(1500 * time.Millisecond)
		for _, session := range []string{"1", "2", "3"} {
			w.leaveUnheard(session)
		}
		w.leave("3")          // and this one really left
		w.Came("shop", "Tom") // a device on another node is there again before that of this node
		pass(1500 * time.Millisecond)
		w.Doubt(5 * time.Second)
		pass(2 * time.Second)
		w.comeUnheard("1", "Tom/ios")
		pass(2900 * time.Millisecond)
		w.check("in doubt", w.told("ann"), "")
		w.mu.Lock()
		writes := w.writes
		w.mu.Unlock()
		if writes != 0 {
			t.Errorf("in doubt %d times of last being online were stored, want none", writes)
		}
		pass(3 * time.Second)
		told := w.told("ann")
		if strings.Contains(told, "Tom") || !strings.Contains(told, "Jerry:-") || !strings.Contains(told, "Spike:-") {
			t.Errorf("afterwards: told %q, want that Jerry and Spike are offline", told)
		}
	})
}
