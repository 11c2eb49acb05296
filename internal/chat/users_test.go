package chat

import (
	"fmt"
	"testing"
	"time"

	"github.com/skein-im/skein"
)

func TestCreatingAUserAgainIsARetryOrAConflict(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	create := func(ext string) (skein.Client, error) {
		var raw []byte
		if ext != "" {
			raw = []byte(ext)
		}
		return f.CreateUser(t.Context(), f.backend(), "New", raw)
	}
	first, err := create(`{"a":1}`)
	f.must(err)
	f.pass(time.Minute)
	again, err := create(`{"a":1}`)
	f.must(err)
	wantEqual(f, "the retry", again, first)
	for _, ext := range []string{`{"a":2}`, ``} {
		_, err = create(ext)
		f.wantFault("with ext "+ext, err, skein.ErrConflict, "client_id")
	}
	_, err = f.CreateUser(t.Context(), skein.Actor{App: f.app("other", skein.Settings{})}, "New", nil)
	f.must(err)
	_, err = f.CreateUser(t.Context(), skein.Actor{App: &skein.App{ID: "gone"}}, "New", nil)
	f.wantErr("in an app that is gone", err, skein.ErrUnknownApp)
}

func TestALoginRegistersUnlessTheAppSaysNo(t *testing.T) {
	for _, closed := range []bool{false, true} {
		f := newFixture(t, skein.Settings{NoAutoRegister: closed})
		f.must(second(f.DeleteUser(t.Context(), f.backend(), "Iron", false)))
		f.must(f.Register(t.Context(), f.as("Tom", skein.NeedClient), []byte(`"later"`), ""))
		tom, err := f.User(t.Context(), f.backend(), "Tom")
		f.must(err)
		wantEqual(f, "who was there keeps its ext", string(tom.Ext), "")
		for _, who := range []string{"New", "Iron"} {
			err := f.Register(t.Context(), f.as(who, skein.NeedClient), []byte(`"hi"`), "")
			if closed {
				f.wantFault("registering "+who, err, skein.ErrUnknownClient, who)
				continue
			}
			f.must(err)
			c, err := f.User(t.Context(), f.backend(), who)
			f.must(err)
			wantEqual(f, "the ext of "+who, string(c.Ext), `"hi"`)
		}
	}
}

func TestABanEndsSessionsAndItself(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.create(skein.Group, "Tom", "Jerry")
	f.told = nil
	f.must(f.Ban(t.Context(), f.backend(), "Tom", start.Add(time.Hour), "spam"))
	f.wantTold("the ban", `cut Tom "" banned`)
	_, err := f.Send(t.Context(), f.backend(), textOf(conv, "Tom", "hi"))
	f.wantFault("sending", err, skein.ErrBanned, "Tom")
	_, err = f.TokenHolder(t.Context(), f.backend(), "Tom")
	f.wantFault("a token", err, skein.ErrBanned, "Tom")
	f.pass(time.Hour)
	_, err = f.Send(t.Context(), f.backend(), textOf(conv, "Tom", "hi"))
	f.must(err)
	f.must(f.Ban(t.Context(), f.backend(), "Tom", skein.Forever, ""))
	f.must(f.Unban(t.Context(), f.backend(), "Tom"))
	_, err = f.TokenHolder(t.Context(), f.backend(), "Tom")
	f.must(err)
	for name, err := range map[string]error{
		"banning":  f.Ban(t.Context(), f.backend(), "Nobody", skein.Forever, ""),
		"unban":    f.Unban(t.Context(), f.backend(), "Nobody"),
		"logout":   f.Logout(t.Context(), f.backend(), "Nobody", ""),
		"deleting": second(f.DeleteUser(t.Context(), f.backend(), "Nobody", false)),
	} {
		f.wantFault(name+" nobody", err, skein.ErrUnknownClient, "Nobody")
	}
}

func TestLogoutCutsTokensAndSessions(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	cutOf := func(device string) skein.Millis {
		c, err := f.User(t.Context(), f.backend(), "Tom")
		f.must(err)
		return c.CutOf(device)
	}
	f.must(f.Logout(t.Context(), f.backend(), "Tom", "phone"))
	f.wantTold("of one device", `cut Tom "phone" logged_out`)
	wantEqual(f, "its cut", cutOf("phone"), start)
	wantEqual(f, "another's", cutOf("pad"), 0)

	f.clock.Add(-5000) // a node whose clock is behind
	f.must(f.Logout(t.Context(), f.backend(), "Tom", ""))
	f.wantTold("of all", `cut Tom "" logged_out`)
	for _, device := range []string{"phone", "pad", ""} {
		wantEqual(f, "the cut of "+device, cutOf(device), start+1)
	}
	f.must(f.Logout(t.Context(), f.backend(), "Tom", ""))
	wantEqual(f, "once more, still behind", cutOf(""), start+2)
}

// However many devices are cut, no token that was refused is let in again.
func TestNoCutOfADeviceIsForgotten(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	const devices = skein.MaxDeviceCuts + 3
	for i := range devices {
		f.must(f.Logout(t.Context(), f.backend(), "Tom", fmt.Sprint(i)))
		f.pass(time.Second)
	}
	c, err := f.User(t.Context(), f.backend(), "Tom")
	f.must(err)
	for i := range devices {
		if cut, want := c.CutOf(fmt.Sprint(i)), start.Add(time.Duration(i)*time.Second); cut < want {
			t.Errorf("device %d: cut at %d, was cut at %d", i, cut, want)
		}
	}
	if len(c.DeviceCuts) != skein.MaxDeviceCuts {
		t.Errorf("%d cuts are kept, want %d", len(c.DeviceCuts), skein.MaxDeviceCuts)
	}
	wantEqual(f, "the cut of the others", c.CutOf("new"), start.Add(2*time.Second))
}

func TestADeletedUserLeavesAndItsWordsGoWhereAsked(t *testing.T) {
	for _, erase := range []bool{false, true} {
		f := newFixture(t, skein.Settings{})
		conv, pair := f.create(skein.Group, "Jerry", "Tom"), f.create(skein.Private, "Tom", "Jerry")
		f.say(conv, 5)
		f.told = nil
		f.pass(time.Second)
		f.must(second(f.DeleteUser(t.Context(), f.backend(), "Tom", erase)))
		wantEqual(f, "who is left", f.members(conv), []string{"Jerry"})
		wantEqual(f, "told first", f.told[0], `cut Tom "" deleted`)
		wantEqual(f, "told in all: the cut, and both conversations", len(f.told), 3)
		_, err := f.User(t.Context(), f.backend(), "Tom")
		f.wantFault("looking it up", err, skein.ErrUnknownClient, "Tom")
		stub, err := f.store.Client(t.Context(), "shop", "Tom")
		f.must(err)
		wantEqual(f, "the cut that stays", stub.Cut, start.Add(time.Second))
		history, _, err := f.Page(t.Context(), f.as("Jerry", skein.NeedMember), conv, 1, 10)
		f.must(err)
		for _, m := range history {
			gone := m.Text == "" && m.Status == skein.StatusDeleted
			if gone != erase {
				t.Errorf("erase %v: message %d is %q with status %d", erase, m.Seq, m.Text, m.Status)
			}
		}
		wantEqual(f, "the history is as long as before", len(history), 5)
		f.register(f.shop, "Tom")
		if f.create(skein.Private, "Tom", "Jerry") == pair {
			t.Error("who took the id later got the old private conversation")
		}
	}
}

func TestUpdateReplacesTheExtension(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	f.pass(time.Second)
	c, err := f.UpdateUser(t.Context(), f.as("Tom", skein.NeedSelf), "Tom", UserUpdate{Ext: new([]byte(`1`))})
	f.must(err)
	wantEqual(f, "after the update", []any{string(c.Ext), c.Updated}, []any{"1", start.Add(time.Second)})
	c, err = f.UpdateUser(t.Context(), f.backend(), "Tom", UserUpdate{Ext: new([]byte(nil))})
	f.must(err)
	wantEqual(f, "cleared", c.Ext == nil, true)
	page, err := f.Users(t.Context(), f.backend(), skein.ClientQuery{Limit: 2, Offset: 1})
	f.must(err)
	wantEqual(f, "users", []any{page.Total, page.Clients[0].ID, page.Clients[1].ID}, []any{4, "Jerry", "Alex"})
}
