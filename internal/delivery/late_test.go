package delivery

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skein-im/skein"
)

// The bus may be slow. Whoever logs in meanwhile reads the message when it syncs, and may have
// left the conversation before, or deleted the message for itself, or read that it was recalled.
func TestALateEventIsNotForASessionThatBeganAfterItsCommit(t *testing.T) {
	f := newFixture(t, "Tom")
	before := f.loginSeeing("shop", "Tom", "phone", skein.Snapshot{Next: 10})
	open := f.loginSeeing("shop", "Tom", "tablet", skein.Snapshot{Next: 12, Open: []int64{10, 11}})
	after := f.loginSeeing("shop", "Tom", "desk", skein.Snapshot{Next: 11})
	late := event(1)
	late.Stamp, late.Audience = 10, listeners([]string{"Tom"})
	f.publish(late)
	f.end("Tom")
	f.wantShown("a session that began before", before, "1")
	f.wantShown("one that began while it was committed", open, "1")
	f.wantShown("one that began afterwards", after)

	c := changed(1, 1, skein.ChangeEdit, "Ann")
	c.Stamp = 10
	f.Committed([]skein.Committed{c})
	c = changed(1, 2, skein.ChangeEdit, "Ann")
	c.Stamp = 11
	f.Committed([]skein.Committed{c})
	f.end("Tom")
	if got := len(before.until("end")); got != 2 {
		t.Errorf("changes of this node, to a session that began before: got %d, want 2", got)
	}
	f.wantUpdates("changes of this node, to one that began between them", after, "2 edit text 2")
}

func TestARepairShowsNobodyAMessageThatItDeletedForItself(t *testing.T) {
	f := newFixture(t, "Tom", "Ann")
	tom, ann := f.login("Tom", "phone"), f.login("Ann", "phone")
	f.store.set(func(m *memory) { m.hidden = []skein.Hiding{{Seq: 2, Client: "Tom"}, {Seq: 3, Client: "Bob"}} })
	f.lines(1)
	f.Ring("shop", conv, 3, 0)
	for who, s := range map[string]*screen{"Tom": tom, "Ann": ann} {
		s.next() // message 1
		for seq, want := range []bool{2: who != "Tom", 3: true} {
			if seq < 2 {
				continue
			}
			got := s.next()
			if brief(got) != fmt.Sprint("repaired ", seq) || strings.Contains(got, "from the store") != want {
				t.Errorf("%s gets %s, want message %d; is its text shown: want %v", who, got, seq, want)
			}
		}
	}
}

// A deletion for oneself is for one client alone, who may have left before the repair.
func TestARepairShowsADeletionForOneselfOnlyToAMember(t *testing.T) {
	for name, tt := range map[string]struct {
		members []string
		want    []string
	}{
		"one who has left": {[]string{"Ann"}, nil},
		"a member":         {[]string{"Tom", "Ann"}, []string{"1 delete blank"}},
	} {
		f := newFixture(t, tt.members...)
		f.store.kind = skein.ChangeHide
		tom, ann := f.login("Tom", "phone"), f.login("Ann", "phone")
		f.Ring("shop", conv, 0, 1)
		f.end("Tom", "Ann")
		f.wantUpdates(name, tom, tt.want...)
		f.wantUpdates(name+": another client", ann)
	}
}

func TestASessionThatBeginsWhileARepairReadsIsAskedToSync(t *testing.T) {
	f := newFixture(t, "Tom")
	f.store.gate, f.store.attended = make(chan struct{}), make(chan struct{}, 1)
	before := f.login("Tom", "phone")
	f.Ring("shop", conv, 1, 0)
	<-f.store.attended
	during := f.login("Tom", "desk")
	close(f.store.gate)
	f.end("Tom")
	f.wantShown("a session that began before", before, "repaired 1")
	f.wantShown("one that began meanwhile", during, `{"type":"resync","data":{}}`)
}

// A session may be attached before a repair reads, and enter the store's sessions afterwards. By then
// its client may have left the conversation.
func TestALoginThatEntersWhileARepairReadsIsAskedToSync(t *testing.T) {
	for name, others := range map[string][]string{"beside another session": {"phone"}, "as the first session": nil} {
		f := newFixture(t, "Tom")
		f.store.gate, f.store.attended = make(chan struct{}), make(chan struct{}, 1)
		for _, device := range others {
			f.login("Tom", device)
		}
		s, enter := f.beginLogin("shop", "Tom", "desk")
		f.Ring("shop", conv, 1, 0)
		<-f.store.attended
		enter(skein.Snapshot{})
		close(f.store.gate)
		f.end("Tom")
		f.wantShown(name, s, `{"type":"resync","data":{}}`)
	}
}

// Its client syncs after the login, which is later than the repair.
func TestALoginThatEntersAfterARepairGetsNothingOfIt(t *testing.T) {
	f := newFixture(t, "Tom")
	before, ann := f.login("Tom", "phone"), f.login("Ann", "phone")
	s, enter := f.beginLogin("shop", "Tom", "desk")
	f.Ring("shop", conv, 1, 0)
	if got := brief(before.next()); got != "repaired 1" {
		t.Errorf("a session that began before gets %s, want message 1", got)
	}
	f.end("Ann")
	ann.until("end") // the repair has asked those to sync that had entered meanwhile
	enter(skein.Snapshot{})
	f.end("Tom")
	f.wantShown("one that entered afterwards", s)
}

// The lane may lack the events of a conversation while none of its members is on this node.
// Members that log in later have read what the doorbell told of.
func TestADoorbellThatNobodyHearsLeavesNothingToRepair(t *testing.T) {
	f := newFixture(t, "Tom")
	ann := f.login("Ann", "phone")
	f.store.set(func(m *memory) { m.end = 3 })
	f.lines(1)
	f.Ring("shop", conv, 5, 0) // its number is not trusted
	f.end("Ann")
	ann.until("end") // the lane has done all of it
	tom := f.login("Tom", "phone")
	f.lines(3, 4)
	f.end("Tom")
	f.wantShown("afterwards", tom, "4")
}
