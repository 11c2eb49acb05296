package delivery

import (
	"testing"
	"testing/synctest"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
)

func TestASenderGetsItsOwnOnlyWhereItAsksForIt(t *testing.T) {
	for name, tt := range map[string]struct {
		toSender   bool
		device     string
		phone, pad []string
	}{
		"not asked for":                     {false, "", nil, nil},
		"not asked for, a device named":     {false, "phone", nil, nil},
		"asked for":                         {true, "", []string{"hi"}, []string{"hi"}},
		"asked for, but not on this device": {true, "phone", nil, []string{"hi"}},
	} {
		for _, members := range [][]string{{"Tom", "Jerry"}, {"Jerry"}} { // the backend sends for any client
			f := newFixture(t, members...)
			phone, pad, jerry := f.login("Tom", "phone"), f.login("Tom", "pad"), f.login("Jerry", "phone")
			f.publish(bus.Event{
				App: "shop", Conv: conv, Seq: 1, Frame: []byte("hi"), Sender: "Tom", ToSender: tt.toSender, Device: tt.device,
			})
			f.end("Tom", "Jerry")
			f.wantShown(name+", on the phone", phone, tt.phone...)
			f.wantShown(name+", on the pad", pad, tt.pad...)
			f.wantShown(name+", another's phone", jerry, "hi")
		}
	}
}

func TestAnEventGoesToItsAudienceAndEachOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		audience, also   []string
		tom, jerry, alex []string
	}{
		"the members":                 {nil, nil, []string{"x"}, []string{"x"}, nil},
		"the members and one more":    {nil, []string{"Alex"}, []string{"x"}, []string{"x"}, []string{"x"}},
		"the members and one of them": {nil, []string{"Tom", "Alex", "Alex"}, []string{"x"}, []string{"x"}, []string{"x"}},
		"who is named":                {[]string{"Alex"}, nil, nil, nil, []string{"x"}},
		"who is named and one more":   {[]string{"Alex"}, []string{"Tom"}, []string{"x"}, nil, []string{"x"}},
		"nobody":                      {[]string{}, nil, nil, nil, nil},
		"nobody but one":              {[]string{}, []string{"Jerry"}, nil, []string{"x"}, nil},
	} {
		f := newFixture(t, "Tom", "Jerry")
		tom, jerry, alex := f.login("Tom", "phone"), f.login("Jerry", "phone"), f.login("Alex", "phone")
		other := f.loginTo("other", "Tom", "phone")
		f.publish(bus.Event{App: "shop", Conv: conv, Frame: []byte("x"), Audience: listeners(tt.audience), Also: tt.also})
		f.end("Tom", "Jerry", "Alex")
		f.publish(bus.Event{App: "other", Conv: conv, Frame: []byte("end"), Audience: listeners([]string{"Tom"})})
		f.wantShown(name+": Tom", tom, tt.tom...)
		f.wantShown(name+": Jerry", jerry, tt.jerry...)
		f.wantShown(name+": Alex", alex, tt.alex...)
		f.wantShown(name+": the Tom of another app", other)
	}
}

// The store may share the list of the members, so it is not written to.
func TestTheListOfTheMembersIsLeftAsItIs(t *testing.T) {
	f := newFixture(t)
	alex := f.login("Alex", "phone")
	spare := append(make([]skein.Listener, 0, 10), skein.NewListener("Tom", 1))
	f.store.all = spare
	f.publish(bus.Event{App: "shop", Conv: conv, Frame: []byte("x"), Also: []string{"Alex"}, Sender: "Jerry", ToSender: true})
	f.end("Alex")
	f.wantShown("who is told beside", alex, "x")
	if got := spare[:3]; got[1].Client != "" || got[2].Client != "" {
		t.Errorf("the spare room of the list holds %v", got)
	}
}

func TestAnAudienceThatCannotBeReadIsCountedAndNoStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // in which no second passes, after which it would be tried again
		f := newFixture(t, "Tom")
		tom := f.login("Tom", "phone")
		f.store.set(func(m *memory) { m.audienceErr = errAway })
		f.publish(event(1))
		f.end("Tom")
		f.wantShown("while the store is away", tom)
		f.store.set(func(m *memory) { m.audienceErr = nil })
		f.publish(event(2))
		f.end("Tom")
		f.wantShown("after it came back", tom, "2")
		if got := f.count("skein_delivery_dropped_total"); got != 1 {
			t.Errorf("%d counted as dropped, want 1", got)
		}
		f.close(t.Context())
	})
}
