package chat

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// said is a message of a sender's in a conversation.
func (f *fixture) said(conv skein.ID, from, text string) skein.Message {
	f.Helper()
	m, err := f.Send(f.Context(), f.backend(), textOf(conv, from, text))
	f.must(err)
	return m
}

// member is a client calling an op for members.
func (f *fixture) member(client string) skein.Actor { return f.as(client, skein.NeedMember) }

func (f *fixture) edit(by skein.Actor, m skein.Message, text string) (skein.Message, error) {
	return f.Edit(f.Context(), by, m.Conv, m.ID, Editing{Text: &text})
}

// log is the changes of a conversation as a caller sees them, in short.
func (f *fixture) log(by skein.Actor, conv skein.ID) []string {
	f.Helper()
	page, err := f.Changes(f.Context(), by, conv, 0, 200)
	f.must(err)
	lines := []string{}
	for i, c := range page.Changes {
		if c.Seq != int64(i+1) {
			f.Errorf("change %d has the number %d", i+1, c.Seq)
		}
		lines = append(lines, fmt.Sprintf("%s by %q of %d %q", c.Kind, c.By, c.Message.Seq, c.Message.Text))
	}
	return lines
}

func (f *fixture) wantLog(what string, by skein.Actor, conv skein.ID, want ...string) {
	f.Helper()
	wantEqual(f, what, f.log(by, conv), append([]string{}, want...))
}

func (f *fixture) wantCase(name string, err, want error, field string) {
	f.Helper()
	switch {
	case want == nil && err != nil:
		f.Errorf("%s: got error %v", name, err)
	case field != "":
		f.wantFault(name, err, want, field)
	case want != nil:
		f.wantErr(name, err, want)
	}
}

func TestWhoMayChangeAMessage(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	roles := map[string]skein.Role{"Tom": skein.RoleOwner, "Jerry": skein.RoleAdmin, "Alex": skein.RoleMember, "Iron": skein.RoleMember}
	f.register(f.shop, "Spike")
	other := f.app("other", skein.Settings{})
	f.register(other, "Tom")
	callers := []struct {
		name string
		by   skein.Actor
	}{
		{"the backend", f.backend()}, {"the owner", f.member("Tom")}, {"an admin", f.member("Jerry")}, {"the sender", f.member("Alex")},
		{"a member", f.member("Iron")}, {"no member", f.member("Spike")}, {"another app", skein.Actor{App: other, Client: "Tom", Need: skein.NeedMember}},
	}
	no, gone := skein.ErrForbidden, skein.ErrUnknownConversation
	for name, tt := range map[string]struct {
		do   func(by skein.Actor, m skein.Message) error
		want [7]error
	}{
		"edit": {func(by skein.Actor, m skein.Message) error {
			_, err := f.edit(by, m, "ho")
			return err
		}, [7]error{nil, no, no, nil, no, no, gone}},
		"recall": {func(by skein.Actor, m skein.Message) error {
			return f.Recall(t.Context(), by, m.Conv, m.ID)
		}, [7]error{nil, nil, nil, nil, no, no, gone}},
		"hide": {func(by skein.Actor, m skein.Message) error {
			if by.Server() {
				return nil // it acts for somebody
			}
			return f.Hide(t.Context(), by, m.Conv, m.ID)
		}, [7]error{nil, nil, nil, nil, nil, no, gone}},
		"react": {func(by skein.Actor, m skein.Message) error {
			if by.Server() {
				return nil
			}
			_, err := f.React(t.Context(), by, m.Conv, m.ID, "ok", true)
			return err
		}, [7]error{nil, nil, nil, nil, nil, no, gone}},
		"pin": {func(by skein.Actor, m skein.Message) error {
			by.Need = skein.NeedManager
			return f.Pin(t.Context(), by, m.Conv, m.ID, true)
		}, [7]error{nil, nil, nil, no, no, no, gone}},
		"pins": {func(by skein.Actor, m skein.Message) error {
			_, err := f.Pins(t.Context(), by, m.Conv)
			return err
		}, [7]error{nil, nil, nil, nil, nil, no, gone}},
		"changes": {func(by skein.Actor, m skein.Message) error {
			_, err := f.Changes(t.Context(), by, m.Conv, 0, 10)
			return err
		}, [7]error{nil, nil, nil, nil, nil, no, gone}},
	} {
		for i, c := range callers {
			m := f.said(f.withRoles(roles), "Alex", "hi")
			f.wantCase(name+" by "+c.name, tt.do(c.by, m), tt.want[i], "")
			if tt.want[i] != nil {
				f.wantLog(name+" by "+c.name, f.backend(), m.Conv)
			}
		}
	}
}

func TestABannedClientChangesNothing(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	m := f.said(f.create(skein.Group, "Tom", "Jerry"), "Tom", "hi")
	f.must(f.Ban(t.Context(), f.backend(), "Tom", skein.Forever, ""))
	tom, text := f.member("Tom"), "ho"
	_, edit := f.Edit(t.Context(), tom, m.Conv, m.ID, Editing{Text: &text})
	_, react := f.React(t.Context(), tom, m.Conv, m.ID, "ok", true)
	_, ranges := f.Ranges(t.Context(), tom, []Range{{Conv: m.Conv, Limit: 1}})
	for name, err := range map[string]error{
		"edit": edit, "react": react, "ranges": ranges,
		"recall": f.Recall(t.Context(), tom, m.Conv, m.ID),
		"hide":   f.Hide(t.Context(), tom, m.Conv, m.ID),
		"pin":    f.Pin(t.Context(), tom, m.Conv, m.ID, true),
	} {
		f.wantFault(name, err, skein.ErrBanned, "Tom")
	}
	f.wantLog("then", f.backend(), m.Conv)
}

func TestAnEditIsHeldToTheRulesOfASend(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.create(skein.Group, "Tom", "Jerry")
	text := func(s string) *string { return &s }
	version := func(n int64) *int64 { return &n }
	for name, tt := range map[string]struct {
		edit  Editing
		want  error
		field string
		text  string
		attr  string
	}{
		"text":                        {Editing{Text: text("ho")}, nil, "", "ho", `{"a":1}`},
		"attr":                        {Editing{Attr: []byte(`[2]`), SetAttr: true}, nil, "", "hi", `[2]`},
		"attr taken away":             {Editing{SetAttr: true}, nil, "", "hi", ""},
		"both":                        {Editing{Text: text("ho"), Attr: []byte(`2`), SetAttr: true}, nil, "", "ho", "2"},
		"of the version there is":     {Editing{Text: text("ho"), Version: version(1)}, nil, "", "ho", `{"a":1}`},
		"of another version":          {Editing{Text: text("ho"), Version: version(2)}, skein.ErrConflict, "expected_version", "hi", `{"a":1}`},
		"no text":                     {Editing{Text: text("")}, skein.ErrMissing, "text", "hi", `{"a":1}`},
		"blank text":                  {Editing{Text: text(" \n")}, skein.ErrMissing, "text", "hi", `{"a":1}`},
		"too long a text":             {Editing{Text: text(strings.Repeat("x", skein.MaxText+1))}, skein.ErrMalformed, "text", "hi", `{"a":1}`},
		"what it says, any version":   {Editing{Text: text("hi"), Version: version(9)}, nil, "", "hi", `{"a":1}`},
		"what it says, both the same": {Editing{Text: text("hi"), Attr: []byte(`{"a":1}`), SetAttr: true}, nil, "", "hi", `{"a":1}`},
	} {
		in := textOf(conv, "Tom", "hi")
		in.Attr = []byte(`{"a":1}`)
		m, err := f.Send(t.Context(), f.backend(), in)
		f.must(err)
		got, err := f.Edit(t.Context(), f.member("Tom"), conv, m.ID, tt.edit)
		f.wantCase(name, err, tt.want, tt.field)
		now, err := f.Message(t.Context(), f.member("Jerry"), conv, m.ID)
		f.must(err)
		version := 1
		if tt.text != "hi" || tt.attr != `{"a":1}` {
			version = 2
		}
		wantEqual(f, name, []any{now.Text, string(now.Attr), now.Version, now.Updated != 0}, []any{tt.text, tt.attr, version, version == 2})
		if tt.want == nil {
			wantEqual(f, name+", as answered", got, now)
		}
	}
}

func TestEditsAndRecallsHaveAnEnd(t *testing.T) {
	f := newFixture(t, skein.Settings{EditWindow: 60, RecallWindow: 30})
	conv := f.withRoles(map[string]skein.Role{"Tom": skein.RoleMember, "Jerry": skein.RoleAdmin})
	edit := func(by skein.Actor, m skein.Message) error {
		_, err := f.edit(by, m, "ho")
		return err
	}
	recall := func(by skein.Actor, m skein.Message) error { return f.Recall(t.Context(), by, conv, m.ID) }
	for name, tt := range map[string]struct {
		by   skein.Actor
		do   func(skein.Actor, skein.Message) error
		age  time.Duration
		late bool
	}{
		"an edit at the end":          {f.member("Tom"), edit, time.Minute, false},
		"an edit behind it":           {f.member("Tom"), edit, time.Minute + time.Millisecond, true},
		"the backend's edit":          {f.backend(), edit, time.Hour, false},
		"a recall at the end":         {f.member("Tom"), recall, 30 * time.Second, false},
		"a recall behind it":          {f.member("Tom"), recall, 30*time.Second + time.Millisecond, true},
		"an admin's recall":           {f.member("Jerry"), recall, time.Hour, false},
		"the backend's recall":        {f.backend(), recall, time.Hour, false},
		"an edit from before the end": {f.member("Tom"), edit, -time.Hour, false}, // a clock that was put back
	} {
		m := f.said(conv, "Tom", "hi")
		f.pass(tt.age)
		err := tt.do(tt.by, m)
		if !tt.late {
			f.wantCase(name, err, nil, "")
			f.pass(time.Hour) // the same again is a retry, whenever it comes
			f.wantCase(name+", again", tt.do(tt.by, m), nil, "")
			continue
		}
		f.wantFault(name, err, skein.ErrForbidden, "msg_id")
		if !strings.Contains(err.Error(), "too old") {
			t.Errorf("%s: got error %v, want one that says why", name, err)
		}
	}
	m := f.said(conv, "Tom", "hi")
	f.pass(10 * 365 * 24 * time.Hour)
	for _, window := range []int{-1, 1 << 60} {
		f.shop.Settings.EditWindow, f.shop.Settings.RecallWindow = window, window
		_, err := f.edit(f.member("Tom"), m, fmt.Sprint(window))
		f.wantCase(fmt.Sprintf("a window of %d", window), err, nil, "")
	}
	f.must(f.Recall(t.Context(), f.member("Tom"), conv, m.ID))
}

func TestWhatIsRecalledIsGoneAndStaysSo(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.withRoles(map[string]skein.Role{"Tom": skein.RoleMember, "Jerry": skein.RoleAdmin, "Alex": skein.RoleMember})
	in := textOf(conv, "Tom", "secret")
	in.ClientMsgID, in.MentionAll, in.Attr = "1", true, []byte(`"secret"`)
	m, err := f.Send(t.Context(), f.backend(), in)
	f.must(err)
	_, err = f.React(t.Context(), f.member("Alex"), conv, m.ID, "ok", true)
	f.must(err)
	f.must(f.Pin(t.Context(), f.as("Jerry", skein.NeedManager), conv, m.ID, true))
	f.must(f.Recall(t.Context(), f.member("Tom"), conv, m.ID))
	want := []string{`react by "Alex" of 1 ""`, `pin by "Jerry" of 1 ""`, `recall by "Tom" of 1 ""`}
	f.wantLog("recalled", f.member("Alex"), conv, want...)

	for _, by := range []skein.Actor{f.member("Tom"), f.member("Jerry"), f.backend()} {
		f.must(f.Recall(t.Context(), by, conv, m.ID))
	}
	_, err = f.edit(f.member("Tom"), m, "again")
	f.wantFault("an edit", err, skein.ErrConflict, "msg_id")
	_, err = f.React(t.Context(), f.member("Alex"), conv, m.ID, "ok", true)
	f.wantFault("a reaction", err, skein.ErrConflict, "msg_id")
	f.wantFault("a pin", f.Pin(t.Context(), f.backend(), conv, m.ID, true), skein.ErrConflict, "msg_id")
	f.must(f.Pin(t.Context(), f.backend(), conv, m.ID, false)) // it has none already
	f.wantErr("a recall by another", f.Recall(t.Context(), f.member("Alex"), conv, m.ID), skein.ErrForbidden)
	f.wantLog("then", f.member("Alex"), conv, want...)

	again, err := f.Send(t.Context(), f.member("Tom"), in)
	f.must(err)
	now, err := f.Message(t.Context(), f.backend(), conv, m.ID)
	f.must(err)
	wantEqual(f, "what is left", fmt.Sprint(now.Status, now.Seq, now.Text, now.Attr, now.MentionAll, now.Reactions, now.Pinned), "3 1[] false [] 0")
	wantEqual(f, "the retry of the send", fmt.Sprint(again.ID, again.Text, string(again.Attr)), fmt.Sprint(m.ID, "", ""))
	pins, err := f.Pins(t.Context(), f.backend(), conv)
	f.must(err)
	wantEqual(f, "pins", len(pins), 0)
}

func TestADeletionIsForOneselfAlone(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	m := f.said(f.create(skein.Group, "Tom", "Jerry"), "Tom", "hi")
	jerry := f.member("Jerry")
	for range 2 {
		f.must(f.Hide(t.Context(), jerry, m.Conv, m.ID))
	}
	for name, tt := range map[string]struct {
		by   skein.Actor
		want string
		log  string
	}{
		"who deleted it": {jerry, `2 ""`, `delete by "Jerry" of 1 ""`},
		"another":        {f.member("Tom"), `1 "hi"`, `none by "" of 0 ""`},
		"the backend":    {f.backend(), `1 "hi"`, `delete by "Jerry" of 1 "hi"`},
	} {
		page, _, err := f.Page(t.Context(), tt.by, m.Conv, 1, 10)
		f.must(err)
		span, _, err := f.Span(t.Context(), tt.by, m.Conv, skein.SeqRange{Limit: 10})
		f.must(err)
		one, err := f.Message(t.Context(), tt.by, m.Conv, m.ID)
		f.must(err)
		for _, got := range []skein.Message{page[0], span[0], one} {
			wantEqual(f, name, fmt.Sprintf("%d %q", got.Status, got.Text), tt.want)
		}
		f.wantLog(name, tt.by, m.Conv, tt.log)
	}
	_, err := f.React(t.Context(), jerry, m.Conv, m.ID, "ok", true)
	f.wantFault("a reaction to what one deleted", err, skein.ErrConflict, "msg_id")
	f.must(f.Pin(t.Context(), f.backend(), m.Conv, m.ID, true))
	pins, err := f.Pins(t.Context(), jerry, m.Conv)
	f.must(err)
	wantEqual(f, "the pins of who deleted it", len(pins), 0)
	pins, err = f.Pins(t.Context(), f.member("Tom"), m.Conv)
	f.must(err)
	wantEqual(f, "the pins of another", len(pins), 1)

	own := f.said(m.Conv, "Tom", "mine")
	f.must(f.Hide(t.Context(), f.member("Tom"), m.Conv, own.ID))
	f.must(f.Recall(t.Context(), f.member("Tom"), m.Conv, own.ID))
	got, err := f.Message(t.Context(), jerry, m.Conv, own.ID)
	f.must(err)
	wantEqual(f, "one that its sender deleted and then recalled", got.Status, skein.StatusRecalled)
}

func TestWhoMayNotSpeakMayNotEdit(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.withRoles(map[string]skein.Role{"Tom": skein.RoleMember, "Jerry": skein.RoleAdmin})
	tom, jerry := f.said(conv, "Tom", "hi"), f.said(conv, "Jerry", "hi")
	set := func(on bool) {
		_, err := f.store.UpdateConversation(t.Context(), "shop", conv, store.Authority{}, func(c *skein.Conversation) error {
			c.MuteAll = on
			return nil
		})
		f.must(err)
	}
	mute := func(until skein.Millis) {
		_, _, err := f.store.UpdateMember(t.Context(), "shop", conv, store.Authority{}, "Tom", f.now(), func(_ skein.Conversation, m *skein.Member) error {
			m.MutedUntil = until
			return nil
		})
		f.must(err)
	}
	set(true)
	_, err := f.edit(f.member("Tom"), tom, "1")
	f.wantErr("a member while all are muted", err, skein.ErrForbidden)
	_, err = f.edit(f.member("Jerry"), jerry, "1")
	f.wantCase("an admin while all are muted", err, nil, "")
	set(false)
	mute(f.now() + 1)
	_, err = f.edit(f.member("Tom"), tom, "2")
	f.wantErr("while muted", err, skein.ErrForbidden)
	_, err = f.edit(f.backend(), tom, "3")
	f.wantCase("the backend", err, nil, "")
	f.must(f.Recall(t.Context(), f.member("Tom"), conv, tom.ID)) // takes back, says nothing
	f.pass(time.Millisecond)
	again := f.said(conv, "Tom", "hi")
	_, err = f.edit(f.member("Tom"), again, "4")
	f.wantCase("when the mute is over", err, nil, "")
}
