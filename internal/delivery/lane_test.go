package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
)

// stall makes reads of the audience wait, and has one wait.
func (f *fixture) stall() {
	f.Helper()
	f.store.gate, f.store.attended = make(chan struct{}), make(chan struct{}, 1)
	f.publish(event(1))
	<-f.store.attended
}

// If Publish waited, this test would end only with the time of all tests.
func TestAFullLaneDropsAndCountsWithoutWaiting(t *testing.T) {
	f := newFixture(t, "Tom")
	tom := f.login("Tom", "phone")
	f.stall()
	const beyond = 50
	for i := range int64(queueLength + beyond) {
		f.publish(event(i + 2))
	}
	if got := f.count("skein_delivery_dropped_total"); got != beyond {
		t.Errorf("%d counted as dropped, want the %d beyond the bound", got, beyond)
	}
	close(f.store.gate)
	for want := range int64(queueLength + 1) {
		if got := tom.next(); got != fmt.Sprint(want+1) {
			t.Fatalf("got %q, want seq %d", got, want+1)
		}
	}
	// What was dropped is a gap, and is found by the next.
	f.publish(event(queueLength + beyond + 2))
	f.end("Tom")
	if got := tom.until("end"); len(got) != beyond+1 || got[0] != fmt.Sprint("repaired ", queueLength+2) {
		t.Errorf("then %d frames %.60v…, want the %d dropped ones repaired and the next", len(got), got, beyond)
	}
}

// Nothing follows, so that no client could see what it lacks.
func TestWhatAFullLaneDropsAtTheEndIsDeliveredWhenItIsEmpty(t *testing.T) {
	f := newFixture(t, "Tom")
	tom := f.login("Tom", "phone")
	f.stall()
	const beyond = 50
	for i := range int64(queueLength + beyond) {
		f.publish(event(i + 2))
	}
	edit := changed(1, 1, skein.ChangeEdit, "Jerry")
	f.Committed([]skein.Committed{edit})
	close(f.store.gate)
	for want := range int64(queueLength + 1) {
		if got := tom.next(); got != fmt.Sprint(want+1) {
			t.Fatalf("got %q, want seq %d", got, want+1)
		}
	}
	for want := range int64(beyond) {
		if got := tom.next(); !strings.Contains(got, fmt.Sprintf(`"from the store","attr":null,"url":null,"transient":0,"mention_all":0,"mention_client_ids":null,"seq":%d,`, queueLength+2+want)) {
			t.Fatalf("got %.400s, want seq %d from the store", got, queueLength+2+want)
		}
	}
	if got, want := update(t, tom.next()), "1 edit repaired"; got != want {
		t.Errorf("then %q, want %q, the change that was lost", got, want)
	}
}

func TestALaneIsBoundedInBytesToo(t *testing.T) {
	f := newFixture(t, "Tom")
	tom := f.login("Tom", "phone")
	f.stall()
	quarter := make([]byte, queueBytes/4-taskBytes)
	for i := range int64(20) {
		e := event(i + 2)
		e.Frame = quarter
		f.publish(e)
	}
	if got := f.count("skein_delivery_dropped_total"); got != 16 {
		t.Errorf("%d frames of a quarter of the bound dropped of 20, want 16", got)
	}
	close(f.store.gate)
	for range 5 {
		tom.next()
	}
	big := bus.Event{App: "shop", Conv: conv, Audience: listeners([]string{"Tom"}), Frame: quarter}
	for range 4 { // there is room again
		f.publish(big)
		tom.next()
	}
}

func TestOtherLanesGoOnBesideAFullOne(t *testing.T) {
	f := newFixture(t, "Tom")
	tom := f.login("Tom", "phone")
	f.stall()
	defer close(f.store.gate)
	f.publish(bus.Event{App: "shop", Conv: skein.ID{15: 2}, Frame: []byte("end"), Audience: listeners([]string{"Tom"})})
	f.wantShown("by another lane", tom)
}

func TestCloseDeliversWhatWaits(t *testing.T) {
	f := newFixture(t, "Tom")
	tom := f.login("Tom", "phone")
	f.stall()
	f.publish(event(2))
	f.end("Tom")
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		f.close(context.Background())
	}()
	for range 10_000 { // every chance to give up too early
		runtime.Gosched()
	}
	close(f.store.gate)
	<-closed
	f.wantShown("what waited at the close", tom, "1", "2")
	f.end("Tom") // is heard by nobody, and harms nobody
	if n := len(tom.frames); n != 0 {
		t.Errorf("%d frames after the close", n)
	}
}

func TestCloseGivesUpWhenItsTimeIsOver(t *testing.T) {
	f := newFixture(t, "Tom")
	f.stall() // and never goes on
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.close(ctx) // returns
}

func TestWhatIsCommittedAndToldIsOnTheWire(t *testing.T) {
	f := newFixture(t, "Tom", "Jerry")
	tom, alex := f.login("Tom", "phone"), f.login("Alex", "phone")
	sent := func(seq int64, sender string) skein.Committed {
		return skein.Committed{App: "shop", ConvType: skein.Group, Message: skein.Message{
			Conv: conv, Seq: seq, Sender: sender, Body: skein.Body{Type: skein.TypeText, Text: "hi"},
		}}
	}
	own := sent(2, "Tom")
	transient := sent(0, "Jerry")
	transient.Transient = true
	f.Committed([]skein.Committed{sent(1, "Jerry"), own, sent(3, "Jerry")})
	f.Say(transient)
	at := skein.MillisOf(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	f.Tell(skein.Notice{
		Kind: skein.EventConvUpdated, App: "shop", Conv: conv, Time: at, By: "Jerry",
		Conversation: &skein.Conversation{App: "shop", ID: conv, Type: skein.Group, Created: at},
	})
	f.Tell(skein.Notice{Kind: skein.EventMembersRemoved, App: "shop", Conv: conv, Clients: []string{"Alex"}, Also: []string{"Alex"}})
	if got, want := alex.next(), `{"type":"conv.members.removed","data":{"conv_id":"`+conv.String()+`","time":0,"client_ids":["Alex"]}}`; got != want {
		t.Errorf("who was removed is told %s, want %s", got, want)
	}
	f.Tell(skein.Notice{Kind: skein.EventConvDeleted, App: "shop", Conv: conv, Audience: []string{"Alex"}})
	if got := brief(alex.next()); !strings.HasPrefix(got, `{"type":"conv.deleted"`) {
		t.Errorf("the audience of a notice is told %s", got)
	}
	type frame struct {
		Type string
		Data struct {
			Seq          *int64
			Text         string
			ConvType     int `json:"conv_type"`
			By           string
			Conversation struct{ CTime string }
		}
	}
	var got []string
	for range 4 {
		var fr frame
		if err := json.Unmarshal([]byte(tom.next()), &fr); err != nil {
			t.Fatal(err)
		}
		seq := "-"
		if fr.Data.Seq != nil {
			seq = fmt.Sprint(*fr.Data.Seq)
		}
		got = append(got, fmt.Sprint(fr.Type, " ", seq, " ", fr.Data.Text, " ", fr.Data.ConvType, " ", fr.Data.By, fr.Data.Conversation.CTime))
	}
	want := []string{"msg.new 1 hi 3 ", "msg.new 3 hi 3 ", "msg.new - hi 3 ", "conv.updated -  0 Jerry2026-01-02 03:04:05"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
