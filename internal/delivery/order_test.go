package delivery

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
)

func TestMessagesComeInTheOrderOfTheirSeqWhateverTheArrival(t *testing.T) {
	for seed := range uint64(40) {
		f := newFixture(t, "Tom")
		tom := f.login("Tom", "phone")
		const n = 120
		order := rand.New(rand.NewPCG(seed, 1)).Perm(n)
		f.publish(event(1))
		for _, i := range order {
			f.publish(event(int64(i + 1)))
		}
		f.end("Tom")
		got := tom.until("end")
		if len(got) != n {
			t.Fatalf("seed %d: %d frames of %d messages: %v", seed, len(got), n, got)
		}
		for i, frame := range got {
			if strings.TrimPrefix(frame, "repaired ") != fmt.Sprint(i+1) {
				t.Fatalf("seed %d: frame %d is %q, want seq %d", seed, i, frame, i+1)
			}
		}
	}
}

func TestAGapIsReadFromTheStore(t *testing.T) {
	f := newFixture(t, "Tom")
	tom := f.login("Tom", "phone")
	for _, seq := range []int64{7, 8, 11, 9, 10, 11, 12} {
		f.publish(event(seq))
	}
	f.end("Tom")
	f.wantShown("9 and 10 overtaken", tom, "7", "8", "repaired 9", "repaired 10", "11", "12")
	if got := f.count("skein_delivery_repaired_total"); got != 2 {
		t.Errorf("%d counted as repaired, want 2", got)
	}
}

func TestAGapIsRepairedUpToItsBound(t *testing.T) {
	for gap, want := range map[int64]int{maxRepair: maxRepair + 2, maxRepair + 1: 2} {
		f := newFixture(t, "Tom")
		tom := f.login("Tom", "phone")
		f.publish(event(1))
		f.publish(event(1 + gap + 1))
		f.end("Tom")
		if got := tom.until("end"); len(got) != want {
			t.Errorf("%d missed: %d frames, want %d", gap, len(got), want)
		}
	}
}

func TestWhatCannotBeRepairedIsAGapAndNoStop(t *testing.T) {
	f := newFixture(t, "Tom")
	tom := f.login("Tom", "phone")
	f.store.set(func(m *memory) { m.away = errAway })
	for _, seq := range []int64{1, 3, 4, 2} {
		f.publish(event(seq))
	}
	f.end("Tom")
	f.wantShown("2 could not be read, and came late", tom, "1", "3", "4")
}

func TestADeletedConversationIsNotRepaired(t *testing.T) {
	f := newFixture(t, "Tom")
	tom := f.login("Tom", "phone")
	f.publish(event(1))
	f.end("Tom")
	f.wantShown("before", tom, "1")
	f.store.set(func(m *memory) { m.deleted = true })
	f.publish(event(4))
	f.end("Tom")
	f.wantShown("after", tom)
}

func TestAConversationStartsWithWhatComesFirst(t *testing.T) {
	f := newFixture(t, "Tom")
	tom := f.login("Tom", "phone")
	f.publish(event(500))
	f.end("Tom")
	f.wantShown("the first after a start", tom, "500")
	if len(f.store.asked) != 0 {
		t.Errorf("the store was asked for %v", f.store.asked)
	}
}

func TestTransientMessagesPassBetweenTheStored(t *testing.T) {
	f := newFixture(t, "Tom")
	tom := f.login("Tom", "phone")
	brief := event(0)
	brief.Frame = []byte("transient")
	for _, e := range []bus.Event{event(1), brief, event(2), brief, event(3)} {
		f.publish(e)
	}
	f.end("Tom")
	f.wantShown("all of them", tom, "1", "transient", "2", "transient", "3")
}

func TestConversationsKeepTheirOrderBesideEachOther(t *testing.T) {
	f := newFixture(t, "Tom")
	tom := f.login("Tom", "phone")
	const convs, each = 16, 50
	var all sync.WaitGroup
	for c := range byte(convs) {
		all.Go(func() {
			for seq := range int64(each) {
				e := event(seq + 1)
				e.Conv = skein.ID{0: 9, 15: c}
				e.Frame = []byte(fmt.Sprintf("%d/%d", c, seq+1))
				f.publish(e)
			}
		})
	}
	all.Wait()
	last := map[int]int{}
	for range convs * each {
		var c, seq int
		if _, err := fmt.Sscanf(tom.next(), "%d/%d", &c, &seq); err != nil || seq != last[c]+1 {
			t.Fatalf("conversation %d: seq %d behind %d (%v)", c, seq, last[c], err)
		}
		last[c] = seq
	}
}
