package storetest

import (
	"fmt"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// deleteErased deletes a client and leaves the erasure to a later call of erase.
func (f *fixture) deleteErased(app, client string) {
	f.Helper()
	_, _, err := f.DeleteClient(f.Context(), app, client, f.now(), true)
	f.must(err)
}

// reacted is what everyone sees of the reactions to a message.
func (f *fixture) reacted(app string, m skein.Message) []skein.Reaction {
	f.Helper()
	return f.look(app, m, "").Reactions
}

var erasures = []check{
	{"an erasure takes back what the client reacted with, each emoji by a change", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat")
		f.app("game", "ann", "bob")
		conv, theirs := f.group("shop", "ann", "bob", "cat"), f.group("game", "ann", "bob")
		said, recalled, other := f.say("shop", conv, "bob", "hi"), f.say("shop", conv, "bob", "no"), f.say("game", theirs, "bob", "hi")
		for _, r := range []struct{ by, emoji string }{{"ann", "a"}, {"ann", "b"}, {"cat", "b"}, {"bob", "c"}, {"ann", "c"}} {
			f.change("shop", said, r.by, react(r.emoji))
		}
		f.change("shop", recalled, "ann", react("a"))
		f.change("shop", recalled, "bob", recall)
		f.change("game", other, "ann", react("a"))
		before := len(f.log("shop", conv, ""))
		f.deleteErased("shop", "ann")
		f.pass(time.Second)
		f.erase()
		left := []skein.Reaction{reaction("b", "cat"), reaction("c", "bob")}
		equal(f, "reactions", f.reacted("shop", said), left)
		equal(f, "in the other app", f.reacted("game", other), []skein.Reaction{reaction("a", "ann")})
		equal(f, "what was recalled", f.look("shop", recalled, "").Status, skein.StatusRecalled)
		var want []skein.Change
		for i, emoji := range []string{"a", "b", "c"} {
			c := skein.Change{Seq: int64(before + i + 1), Kind: skein.ChangeReact, By: "ann", Emoji: emoji, At: f.now()}
			c.Message = f.look("shop", said, "")
			want = append(want, c)
		}
		equal(f, "changes for who was away", f.log("shop", conv, "cat")[before:], want)
		told := f.toldChanges()
		told = told[len(told)-3:]
		equal(f, "the first that is told", told[0].Message.Reactions,
			[]skein.Reaction{reaction("b", "ann", "cat"), reaction("c", "bob", "ann")})
		equal(f, "the last that is told", told[2], want[2])
	}},
	{"without erase all that was reacted with stays", func(f *fixture) {
		f.app("shop", "ann", "bob")
		said := f.say("shop", f.group("shop", "ann", "bob"), "bob", "hi")
		f.change("shop", said, "ann", react("a"))
		_, _, err := f.DeleteClient(f.Context(), "shop", "ann", f.now(), false)
		f.must(err)
		f.erase()
		equal(f, "reactions", f.reacted("shop", said), []skein.Reaction{reaction("a", "ann")})
	}},
	{"an erasure leaves mentions of the client in what others said", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		d := f.draft("shop", conv, "bob", "hi @ann")
		d.Mentions = []string{"ann"}
		said, _, err := f.Append(f.Context(), d)
		f.must(err)
		f.change("shop", said, "ann", react("a"))
		f.deleteErased("shop", "ann")
		f.erase()
		got := f.look("shop", said, "")
		equal(f, "text", got.Text, "hi @ann")
		equal(f, "mentions", got.Mentions, []string{"ann"})
		equal(f, "reactions", len(got.Reactions), 0)
		members, err := f.Members(f.Context(), "shop", conv, skein.MemberQuery{})
		f.must(err)
		equal(f, "members", len(members.Members), 1)
	}},
	{"who is created anew keeps what it reacts with", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv, away := f.group("shop", "ann", "bob"), f.group("shop", "ann", "bob")
		same, another, old := f.say("shop", conv, "bob", "1"), f.say("shop", conv, "bob", "2"), f.say("shop", conv, "bob", "3")
		gone, elsewhere := f.say("shop", conv, "bob", "4"), f.say("shop", away, "bob", "5")
		for _, m := range []skein.Message{same, another, old, gone, elsewhere} {
			f.change("shop", m, "ann", react("a"))
			f.change("shop", m, "ann", react("b"))
		}
		f.deleteErased("shop", "ann")
		f.clients("shop", "ann")
		f.add("shop", conv, "ann")
		equal(f, "the emoji of before", f.change("shop", same, "ann", react("a")).Kind, skein.ChangeReact)
		f.change("shop", same, "ann", react("c"))
		f.change("shop", another, "ann", react("c"))
		equal(f, "what it has not set", f.change("shop", gone, "ann", unreact("a")).Kind, skein.ChangeNone)
		own := map[string]skein.Message{"same": same, "another": another, "old": old, "gone": gone, "elsewhere": elsewhere}
		want := map[string][]skein.Reaction{
			"same": {reaction("a", "ann"), reaction("c", "ann")}, "another": {reaction("c", "ann")},
		}
		f.erase()
		for name, m := range own {
			equal(f, name, f.reacted("shop", m), want[name])
		}
		f.deleteErased("shop", "ann") // this holder's go as well
		f.erase()
		for name, m := range own {
			equal(f, name+", after the second", len(f.reacted("shop", m)), 0)
		}
	}},
	{"two erasures of one id take what was reacted with before the second", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		one, two := f.say("shop", conv, "bob", "1"), f.say("shop", conv, "bob", "2")
		f.change("shop", one, "ann", react("a"))
		for _, emoji := range []string{"b", "c"} {
			f.deleteErased("shop", "ann")
			f.clients("shop", "ann")
			f.add("shop", conv, "ann")
			f.change("shop", one, "ann", react(emoji))
			f.change("shop", two, "ann", react(emoji))
		}
		f.erase()
		equal(f, "one", f.reacted("shop", one), []skein.Reaction{reaction("c", "ann")})
		equal(f, "two", f.reacted("shop", two), []skein.Reaction{reaction("c", "ann")})
	}},
	{"an erasure of many reactions goes bit by bit", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		var all []skein.Message
		for range 12 {
			m := f.say("shop", conv, "bob", "hi")
			for i := range skein.MaxReactions {
				f.change("shop", m, "ann", react(fmt.Sprint(i)))
			}
			all = append(all, m)
		}
		f.deleteErased("shop", "ann")
		before := len(f.log("shop", conv, ""))
		done, more, err := f.EraseMessages(f.Context(), f.now())
		f.must(err)
		equal(f, "more after the first", more, true)
		equal(f, "erased", done, store.Erased{App: "shop", Client: "ann", Reactions: len(f.log("shop", conv, "")) - before})
		if n := len(f.log("shop", conv, "")) - before; n == 0 || n > 6*skein.MaxReactions {
			f.Fatalf("got %d changes in the first step, want some and not all of %d", n, before)
		}
		f.erase()
		for _, m := range all {
			equal(f, "reactions", len(f.reacted("shop", m)), 0)
		}
		equal(f, "changes", len(f.log("shop", conv, "")), 2*before)
	}},
}
