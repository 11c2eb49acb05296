package chat

import (
	"fmt"
	"testing"
	"time"

	"github.com/skein-im/skein"
)

// see is a conversation as a client sees it, in short.
func (f *fixture) see(conv skein.ID, client string) string {
	f.Helper()
	v, err := f.View(f.Context(), f.as(client, skein.NeedSelf), conv, client)
	f.must(err)
	last := "nothing"
	if v.Last != nil {
		last = v.Last.Text
	}
	return fmt.Sprintf("read %d unread %d mentions %d floor %d last %s", v.Member.Read(), v.Unread(), v.Mentions, v.Floor, last)
}

func (f *fixture) send(conv skein.ID, from, text string, mentions ...string) {
	f.Helper()
	s := textOf(conv, from, text)
	s.Mentions = mentions
	_, err := f.Send(f.Context(), f.as(from, skein.NeedMember), s)
	f.must(err)
}

func TestWhatOneSeesOfAConversation(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.create(skein.Group, "Tom", "Jerry")
	wantEqual(f, "nothing said", f.see(conv, "Jerry"), "read 0 unread 0 mentions 0 floor 0 last nothing")
	f.send(conv, "Tom", "one")
	f.send(conv, "Tom", "two", "Jerry")
	wantEqual(f, "two of another's", f.see(conv, "Jerry"), "read 0 unread 2 mentions 1 floor 0 last two")
	wantEqual(f, "two of one's own", f.see(conv, "Tom"), "read 2 unread 0 mentions 0 floor 0 last two")
	f.send(conv, "Jerry", "three")
	wantEqual(f, "who speaks has read what was said before", f.see(conv, "Jerry"), "read 3 unread 0 mentions 0 floor 0 last three")
	wantEqual(f, "the other", f.see(conv, "Tom"), "read 2 unread 1 mentions 0 floor 0 last three")
}

func TestWhatIsClearedIsNotShown(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.create(skein.Group, "Tom", "Jerry")
	f.say(conv, 2)
	f.send(conv, "Tom", "three")
	jerry := f.as("Jerry", skein.NeedSelf)
	for _, step := range []struct {
		to   int64
		want string
	}{
		{2, "read 2 unread 1 mentions 0 floor 2 last three"},
		{1, "read 2 unread 1 mentions 0 floor 2 last three"},
		{1 << 60, "read 3 unread 0 mentions 0 floor 3 last nothing"},
	} {
		_, err := f.Mark(t.Context(), jerry, conv, "Jerry", Mark{ClearTo: &step.to})
		f.must(err)
		wantEqual(f, fmt.Sprint("cleared to ", step.to), f.see(conv, "Jerry"), step.want)
	}
	f.send(conv, "Tom", "four")
	wantEqual(f, "what comes after", f.see(conv, "Jerry"), "read 3 unread 1 mentions 0 floor 3 last four")
	wantEqual(f, "another's", f.see(conv, "Tom"), "read 4 unread 0 mentions 0 floor 0 last four")
}

func TestWhereHistoryIsPrivateTheLastMessageIsToo(t *testing.T) {
	for private, want := range map[bool]string{
		false: "read 1 unread 0 mentions 0 floor 0 last secret",
		true:  "read 1 unread 0 mentions 0 floor 1 last nothing",
	} {
		f := newFixture(t, skein.Settings{PrivateHistory: private})
		conv := f.create(skein.Group, "Tom")
		f.send(conv, "Tom", "secret", "Jerry")
		f.must(f.AddMembers(t.Context(), f.backend(), conv, []string{"Jerry"}))
		wantEqual(f, fmt.Sprint("private ", private), f.see(conv, "Jerry"), want)
		page, err := f.Views(t.Context(), f.as("Jerry", skein.NeedSelf), "Jerry", skein.ViewQuery{Limit: 10})
		f.must(err)
		synced, err := f.Sync(t.Context(), f.as("Jerry", skein.NeedSelf), "Jerry", skein.SyncCursor{}, 10)
		f.must(err)
		for what, views := range map[string][]skein.View{"the list": page.Views, "sync": synced.Views} {
			if len(views) != 1 || (views[0].Last == nil) != private || (views[0].Floor == 1) != private {
				t.Errorf("private %v: %s shows %+v", private, what, views)
			}
		}
	}
}

func TestMarksAreTheClientsOwn(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.create(skein.Group, "Tom", "Jerry")
	tom := f.as("Tom", skein.NeedSelf)
	f.wantTold("before", `conv.created by "" [] also [] audience members`)
	own := `conv.updated by "Tom" [] also [] audience [Tom] view`
	mark := func(m Mark) skein.Marks {
		t.Helper()
		v, err := f.Mark(t.Context(), tom, conv, "Tom", m)
		f.must(err)
		return v.Member.Marks
	}
	wantEqual(f, "pinned", mark(Mark{Pin: new(true)}), skein.Marks{Pinned: start})
	f.wantTold("pinned", own)
	f.pass(time.Second)
	wantEqual(f, "pinned again", mark(Mark{Pin: new(true)}), skein.Marks{Pinned: start})
	f.wantTold("pinned again")
	wantEqual(f, "more", mark(Mark{Mute: new(true), Archive: new(true), Draft: new("See")}),
		skein.Marks{Pinned: start, Muted: true, Archived: true, Draft: "See"})
	f.wantTold("more", own)
	wantEqual(f, "all taken away", mark(Mark{Pin: new(false), Mute: new(false), Archive: new(false), Draft: new("")}), skein.Marks{})
	f.wantTold("all taken away", own)
	v, err := f.View(t.Context(), f.as("Jerry", skein.NeedSelf), conv, "Jerry")
	f.must(err)
	wantEqual(f, "another's", v.Member.Marks, skein.Marks{})

	f.say(conv, 1)
	f.wantTold("nothing of messages")
	mark(Mark{ClearTo: new(int64(1))})
	f.wantTold("cleared by who has spoken: nothing read", own)
	_, err = f.Mark(t.Context(), f.backend(), conv, "Jerry", Mark{ClearTo: new(int64(1))})
	f.must(err)
	f.wantTold("cleared by who has not", `conv.updated by "" [] also [] audience [Jerry] view`,
		`conv.read by "" [] also [] audience members [{Jerry 1 1}]`)
}

func TestWhoIsNoMemberHasNoView(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.create(skein.Group, "Tom")
	for name, by := range map[string]skein.Actor{"itself": f.as("Iron", skein.NeedMember), "the backend": f.backend()} {
		for what, call := range map[string]func(skein.ID) error{
			"view": func(id skein.ID) error { _, err := f.View(t.Context(), by, id, "Iron"); return err },
			"mark": func(id skein.ID) error {
				_, err := f.Mark(t.Context(), by, id, "Iron", Mark{Pin: new(true)})
				return err
			},
			"read":     func(id skein.ID) error { _, err := f.Read(t.Context(), by, id, "Iron", nil); return err },
			"received": func(id skein.ID) error { _, err := f.Received(t.Context(), by, id, "Iron", nil); return err },
		} {
			f.wantFault(name+": "+what, call(conv), skein.ErrForbidden, "Iron")
			f.wantErr(name+": "+what+" of nothing", call(skein.ID{1}), skein.ErrUnknownConversation)
		}
	}
	_, err := f.Read(t.Context(), f.backend(), conv, "Nobody", nil)
	f.wantFault("read of nobody", err, skein.ErrUnknownClient, "Nobody")
	_, err = f.Mark(t.Context(), f.backend(), conv, "Nobody", Mark{Pin: new(true)})
	f.wantFault("mark of nobody", err, skein.ErrUnknownClient, "Nobody")
	_, err = f.Views(t.Context(), f.backend(), "Nobody", skein.ViewQuery{Limit: 1})
	f.wantFault("the list of nobody", err, skein.ErrUnknownClient, "Nobody")
	_, err = f.Sync(t.Context(), f.backend(), "Nobody", skein.SyncCursor{}, 1)
	f.wantFault("sync of nobody", err, skein.ErrUnknownClient, "Nobody")
}
