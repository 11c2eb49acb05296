package storetest

import (
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

var recalls = []check{
	{"a recall leaves the place and nothing of what was said", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		d, said := f.sayAll("shop", conv, "ann")
		f.change("shop", said, "ann", pin)
		f.change("shop", said, "bob", skein.Change{Kind: skein.ChangeReact, Emoji: "a", On: true})
		f.pass(time.Second)
		got := f.change("shop", said, "bob", recall)
		want := said
		want.Body = skein.Body{Type: said.Type, NoSync: true}
		want.Status, want.Updated, want.Changed = skein.StatusRecalled, f.now(), 3
		equal(f, "answer", got, skein.Change{Seq: 3, Kind: skein.ChangeRecall, By: "bob", At: f.now(), Message: want})
		equal(f, "history", f.history("shop", conv), []skein.Message{want})
		equal(f, "pins", len(f.pins("shop", conv, "")), 0)
		for _, line := range f.log("shop", conv, "ann") {
			equal(f, "in the log", line.Message, want)
		}
		for name, c := range map[string]skein.Change{
			"edit": edit("again"), "pin": pin, "react": {Kind: skein.ChangeReact, Emoji: "a", On: true},
			"take a reaction away": {Kind: skein.ChangeReact, Emoji: "a"},
		} {
			_, err := f.ChangeMessage(f.Context(), "shop", conv, said.ID, store.Needs("bob", skein.NeedClient), c.Emoji, makes(c))
			if f.wantFault(err, skein.ErrConflict, "msg_id"); f.Failed() {
				f.Fatal(name)
			}
		}
		for _, text := range []string{d.Text, "nobody knows that it was another"} {
			d.ID, d.Text = f.newID(), text
			again, known, err := f.Append(f.Context(), d)
			f.must(err)
			equal(f, "a retry is known", known, true)
			equal(f, "and answered", again, want)
		}
	}},
	{"a retry is answered what was edited since, and another body is still another", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		d, said := f.sayAll("shop", conv, "ann")
		f.change("shop", said, "ann", edit("better"))
		d.ID = f.newID()
		got, known, err := f.Append(f.Context(), d)
		f.must(err)
		equal(f, "known", known, true)
		equal(f, "text", got.Text, "better")
		d.Text = "better"
		_, _, err = f.Append(f.Context(), d)
		f.wantErr(err, skein.ErrConflict)
	}},
	{"an erasure is a recall by nobody in each log", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		_, said := f.sayAll("shop", conv, "ann")
		recalled := f.say("shop", conv, "ann", "recalled")
		kept := f.say("shop", conv, "bob", "kept")
		f.change("shop", said, "bob", pin)
		f.change("shop", kept, "ann", skein.Change{Kind: skein.ChangeReact, Emoji: "a", On: true})
		f.change("shop", recalled, "ann", recall)
		_, _, err := f.DeleteClient(f.Context(), "shop", "ann", f.now(), true)
		f.must(err)
		f.pass(time.Second)
		f.erase()
		erased := f.look("shop", said, "bob")
		equal(f, "status", erased.Status, skein.StatusDeleted)
		line := skein.Change{Seq: 4, Kind: skein.ChangeRecall, At: f.now(), Message: erased}
		log := f.log("shop", conv, "bob")
		equal(f, "changes", len(log), 5)
		equal(f, "the recall", log[3], line)
		told := f.told()
		equal(f, "told", told[len(told)-2], skein.Committed{Message: erased, App: "shop", ConvType: skein.Group, RosterRev: 2, Change: &line})
		equal(f, "pins", len(f.pins("shop", conv, "")), 0)
		equal(f, "what was recalled", f.look("shop", recalled, "").Status, skein.StatusRecalled)
		equal(f, "what it reacted to", len(f.look("shop", kept, "").Reactions), 0)
	}},
	{"the next conversation with an id has nothing of the one before", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		said := f.say("shop", conv, "ann", "one")
		f.change("shop", said, "ann", skein.Change{Kind: skein.ChangeReact, Emoji: "a", On: true})
		f.change("shop", said, "ann", hide)
		_, err := f.DeleteConversation(f.Context(), "shop", conv, store.Authority{})
		f.must(err)
		f.purge()
		c := f.conv("shop", skein.Group)
		c.ID = conv
		f.create(c, "ann")
		next := f.say("shop", conv, "ann", "two")
		equal(f, "message", f.look("shop", next, "ann"), next)
		equal(f, "log", len(f.log("shop", conv, "")), 0)
	}},
}
