package delivery

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
)

// lines publishes events of another node with these seqs.
func (f *fixture) lines(seqs ...int64) {
	for _, seq := range seqs {
		f.publish(event(seq))
	}
}

func TestADoorbellDeliversTheTailThatWasLost(t *testing.T) {
	for name, tt := range map[string]struct {
		before    []int64
		seq       int64 // of the doorbell
		after     []int64
		want      []string
		wantAfter []string
	}{
		"nothing was lost":            {[]int64{1, 2}, 2, []int64{3}, []string{"1", "2"}, []string{"3"}},
		"the last three":              {[]int64{1}, 4, []int64{5}, []string{"1", "repaired 2", "repaired 3", "repaired 4"}, []string{"5"}},
		"it was only late":            {[]int64{1}, 3, []int64{2, 3, 4}, []string{"1", "repaired 2", "repaired 3"}, []string{"4"}},
		"all, and the lane knows not": {nil, 57, []int64{57, 58}, []string{"repaired 57"}, []string{"58"}},
		"an old doorbell":             {[]int64{8, 9}, 3, []int64{10}, []string{"8", "9"}, []string{"10"}},
		"as many as are read":         {[]int64{1}, 1 + maxRepair, nil, append([]string{"1"}, repairedFrom(2, 1+maxRepair)...), nil},
		"more than are read":          {[]int64{1}, 2 + maxRepair, nil, []string{"1", fmt.Sprint("repaired ", 2+maxRepair)}, nil},
		"it says nothing of messages": {[]int64{1}, 0, []int64{2}, []string{"1"}, []string{"2"}},
	} {
		f := newFixture(t, "Tom")
		tom := f.login("Tom", "phone")
		f.lines(tt.before...)
		f.Ring("shop", conv, tt.seq, 0)
		f.Ring("shop", conv, tt.seq, 0) // once more changes nothing
		f.end("Tom")
		f.wantShown(name, tom, tt.want...)
		f.lines(tt.after...)
		f.end("Tom")
		f.wantShown(name+", afterwards", tom, tt.wantAfter...)
		if got := f.count("skein_delivery_late_total"); got != len(tt.after)-len(tt.wantAfter) {
			t.Errorf("%s: got %d late events, want %d", name, got, len(tt.after)-len(tt.wantAfter))
		}
	}
}

func repairedFrom(first, last int64) (all []string) {
	for seq := first; seq <= last; seq++ {
		all = append(all, fmt.Sprint("repaired ", seq))
	}
	return all
}

func TestADoorbellDeliversChangesThatWereLost(t *testing.T) {
	f := newFixture(t, "Tom")
	tom := f.login("Tom", "phone")
	f.Committed([]skein.Committed{changed(1, 1, skein.ChangeEdit, "Tom")})
	f.Ring("shop", conv, 0, 3)
	f.Ring("shop", conv, 0, 3)
	f.Committed([]skein.Committed{changed(1, 3, skein.ChangeEdit, "Tom"), changed(1, 4, skein.ChangeEdit, "Tom")})
	f.end("Tom")
	f.wantUpdates("two were lost", tom, "1 edit text 1", "2 edit repaired", "3 edit repaired", "4 edit text 4")
}

// Who left on another node must not be told what was said afterwards, although this node may
// remember older members.
func TestADoorbellAsksForMembersAsNewAsTheConversation(t *testing.T) {
	f := newFixture(t, "Tom")
	f.login("Tom", "phone")
	f.store.set(func(m *memory) { m.roster = 7 })
	f.Ring("shop", conv, 2, 0)
	f.end("Tom")
	f.close(t.Context())
	if f.store.atLeast != 7 {
		t.Errorf("got members of revision %d or newer, want 7", f.store.atLeast)
	}
}

func TestADoorbellOfAnotherNodeIsHeard(t *testing.T) {
	f := newFixture(t, "Tom")
	tom := f.login("Tom", "phone")
	f.lines(1)
	f.publish(bus.Event{App: "shop", Conv: conv, Doorbell: true, Seq: 2, Change: 1})
	f.end("Tom")
	got := tom.until("end")
	if len(got) != 3 || got[1] != "repaired 2" || update(t, got[2]) != "1 edit repaired" {
		t.Errorf("got %q, want 1, and message 2 and change 1 from the store", got)
	}
	heard := make(chan *bus.Event, 1)
	defer f.bus.Subscribe(func(e *bus.Event) { heard <- e })()
	f.RingAll("shop", conv, 2, 1)
	if e := <-heard; !e.Doorbell || e.Conv != conv || e.Seq != 2 || e.Change != 1 {
		t.Errorf("the other node hears %+v, want the doorbell", *e)
	}
}

// What a doorbell says is compared: if the store has less, the lane does not believe that
// it delivered what never was.
func TestADoorbellIsNotTrusted(t *testing.T) {
	f := newFixture(t, "Tom")
	tom := f.login("Tom", "phone")
	f.lines(1)
	f.store.set(func(m *memory) { m.end = 3 })
	f.Ring("shop", conv, 100, 0)
	f.lines(4)
	f.end("Tom")
	f.wantShown("a doorbell of 100 where there are 3", tom, "1", "repaired 2", "repaired 3", "4")
}

// A client retries a message that others have followed. A lane that never delivered any of
// them must not take it for the tail, and later push again all that follows it.
func TestADoorbellAboutAnOldMessageIsLeftAlone(t *testing.T) {
	f := newFixture(t, "Tom")
	tom := f.login("Tom", "phone")
	f.store.set(func(m *memory) { m.end = 60 })
	f.Ring("shop", conv, 7, 0)
	f.lines(61)
	f.end("Tom")
	f.wantShown("a doorbell of 7 where there are 60", tom, "61")
}

// The message was committed before its change, but another node announced it.
func TestAChangeDoesNotOvertakeItsMessage(t *testing.T) {
	f := newFixture(t, "Tom")
	tom := f.login("Tom", "phone")
	f.lines(1)
	f.Committed([]skein.Committed{changed(3, 1, skein.ChangeEdit, "Tom")})
	f.lines(2, 3)
	f.end("Tom")
	got := tom.until("end")
	if len(got) != 4 || got[1] != "repaired 2" || got[2] != "repaired 3" || update(t, got[3]) != "1 edit text 1" {
		t.Errorf("got %q, want the messages up to the one that was changed, then the change", got)
	}
}

func TestAnEventForNobodyHereReadsNoStore(t *testing.T) {
	f := newFixture(t, "Tom")
	tom := f.login("Tom", "phone")
	f.lines(1)
	f.end("Tom")
	f.wantShown("before", tom, "1")
	asked := f.store.reads()
	away := event(5) // 2 to 4 were for nobody here either: who is here was no member of them, or is none now
	away.Audience = listeners([]string{"Jerry", "Alex"})
	f.publish(away)
	f.Ring("shop", conv, 5, 0)
	f.end("Tom")
	f.wantShown("a message for others", tom)
	if got := f.store.reads() - asked; got != 0 {
		t.Errorf("the store was read %d times, want none", got)
	}
	f.lines(6)
	f.end("Tom")
	f.wantShown("the next for all", tom, "6")
}

func TestASmallAudienceTravelsWithTheEvent(t *testing.T) {
	for name, tt := range map[string]struct {
		members int
		named   bool
	}{
		"a pair":           {2, true},
		"as many as named": {maxNamed, true},
		"one more":         {maxNamed + 1, false},
	} {
		f := newFixture(t)
		for i := range tt.members {
			f.store.members = append(f.store.members, fmt.Sprint("client", i))
		}
		f.store.joined = map[string]int64{"client1": 8} // after the message
		heard := make(chan *bus.Event, 1)
		stop := f.bus.Subscribe(func(e *bus.Event) { heard <- e })
		f.Committed([]skein.Committed{{App: "shop", ConvType: skein.Group, Message: skein.Message{Conv: conv, Seq: 7, Sender: "client0"}}})
		e := <-heard
		stop()
		var want []skein.Listener
		if tt.named {
			want = listeners(slices.DeleteFunc(slices.Clone(f.store.members), func(c string) bool { return c == "client1" }))
		}
		if !slices.Equal(e.Audience, want) || tt.named != (e.Audience != nil) {
			t.Errorf("%s: the event names %d clients (%v), want %d", name, len(e.Audience), e.Audience, len(want))
		}
	}
}

// The next commit waits for the hook, so the hook leaves the encoding to the lane.
func TestTheCommitHookEncodesNothing(t *testing.T) {
	f := newFixture(t)
	d := &Delivery{opts: f.opts, metrics: newMetrics(nil)}
	d.lanes = []*lane{newLane(d)}
	d.Committed([]skein.Committed{changed(1, 1, skein.ChangeEdit, "Tom")})
	if got, _ := d.lanes[0].queue.take(); got.sent == nil || got.event != nil {
		t.Errorf("the lane has %+v, want the change as it was committed", got)
	}
}

// The store is away while a message is to be delivered, and nothing follows it.
func TestWhatCouldNotBeReadIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, "Tom")
		tom := f.login("Tom", "phone")
		f.store.set(func(m *memory) { m.audienceErr = errAway })
		f.lines(1, 2)
		f.Committed([]skein.Committed{changed(1, 1, skein.ChangeEdit, "Tom")})
		time.Sleep(3 * retryEvery) // it is tried, in vain
		f.store.set(func(m *memory) { m.audienceErr = nil })
		time.Sleep(retryEvery)
		synctest.Wait()
		f.end("Tom")
		got := tom.until("end")
		if len(got) != 3 || got[0] != "repaired 1" || got[1] != "repaired 2" || update(t, got[2]) != "1 edit repaired" {
			t.Errorf("within a second got %q, want both messages and the change", got)
		}
		f.close(t.Context())
	})
}

func TestAResyncAsksEverySessionOnceSpreadOverItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		const sessions = 200
		screens := make([]*screen, sessions)
		for i := range screens {
			screens[i] = f.login(fmt.Sprint("client", i), "phone")
		}
		f.network.Reconnect(0)
		asked := func() (n int) {
			synctest.Wait()
			for _, s := range screens {
				n += len(s.frames)
			}
			return n
		}
		half := f.opts.ResyncOver / 2
		time.Sleep(half)
		if n := asked(); n < sessions/4 || n > sessions*3/4 {
			t.Errorf("after half of the time %d of %d sessions were asked", n, sessions)
		}
		time.Sleep(half)
		if n := asked(); n != sessions {
			t.Errorf("after all of the time %d of %d sessions were asked", n, sessions)
		}
		for _, s := range screens {
			if got, want := s.next(), `{"type":"resync","data":{}}`; got != want {
				t.Fatalf("a session was sent %s, want %s", got, want)
			}
		}
		f.close(t.Context())
	})
}

// A lane that cannot remember what it lost has the clients ask.
func TestWhatIsLostBeyondMemoryHasTheSessionsSync(t *testing.T) {
	asked := 0
	q := newQueue(func() { asked++ })
	fill := tasksOf("shop", queueLength)
	for _, one := range fill {
		q.put(one)
	}
	for i := range maxLost + 1 {
		one := fill[0]
		one.conv = skein.ID{1: byte(i >> 16), 2: byte(i >> 8), 3: byte(i)}
		if asked != 0 {
			t.Fatalf("asked after only %d conversations lost something", i)
		}
		q.put(one)
	}
	if asked != 1 {
		t.Errorf("asked %d times, want once for the one that is not remembered", asked)
	}
}
