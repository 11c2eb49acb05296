package storetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// makes answers a decision whatever the state.
func makes(c skein.Change) func(skein.MessageState) (skein.Change, error) {
	return func(skein.MessageState) (skein.Change, error) { return c, nil }
}

// change changes a message now.
func (f *fixture) change(app string, m skein.Message, by string, c skein.Change) skein.Change {
	f.Helper()
	c.At = f.now()
	got, err := f.ChangeMessage(f.Context(), app, m.Conv, m.ID, store.Needs(by, skein.NeedClient), c.Emoji, makes(c))
	f.must(err)
	return got
}

// edit is a decision to give a message another text.
func edit(text string) skein.Change {
	return skein.Change{Kind: skein.ChangeEdit, Message: skein.Message{Body: skein.Body{Text: text}}}
}

// Decisions that say no more than their kind.
var (
	recall = skein.Change{Kind: skein.ChangeRecall}
	hide   = skein.Change{Kind: skein.ChangeHide}
	pin    = skein.Change{Kind: skein.ChangePin, On: true}
	unpin  = skein.Change{Kind: skein.ChangePin}
)

// log is what a viewer is shown of all changes of a conversation.
func (f *fixture) log(app string, conv skein.ID, viewer string) []skein.Change {
	f.Helper()
	all, err := f.Changes(f.Context(), app, conv, skein.ChangeRange{Limit: 1 << 20, Viewer: viewer})
	f.must(err)
	return all
}

// look is a message as a viewer sees it.
func (f *fixture) look(app string, m skein.Message, viewer string) skein.Message {
	f.Helper()
	got, err := f.Message(f.Context(), app, m.Conv, m.ID, viewer)
	f.must(err)
	return got
}

func (f *fixture) pins(app string, conv skein.ID, viewer string) []skein.Message {
	f.Helper()
	pins, err := f.Pins(f.Context(), app, conv, viewer)
	f.must(err)
	return pins
}

// toldChanges is what the hook was told of changes.
func (f *fixture) toldChanges() (changes []skein.Change) {
	for _, s := range f.told() {
		if s.Change != nil {
			changes = append(changes, *s.Change)
		}
	}
	return changes
}

// sayAll stores a message that has all there is to a body.
func (f *fixture) sayAll(app string, conv skein.ID, sender string) (skein.Draft, skein.Message) {
	f.Helper()
	d := f.draft(app, conv, sender, "secret")
	d.Attr, d.URL, d.MentionAll, d.Mentions, d.ClientMsgID, d.NoSync = []byte(`1`), "u", true, []string{"bob"}, "x", true
	m, _, err := f.Append(f.Context(), d)
	f.must(err)
	return d, m
}

var changes = []check{
	{"a message is its sender's own, not that of who takes the id later", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		said := f.say("shop", conv, "ann", "mine")
		own := func(m skein.Message, by string) (own bool) {
			_, err := f.ChangeMessage(f.Context(), "shop", conv, m.ID, store.Needs(by, skein.NeedClient), "", func(s skein.MessageState) (skein.Change, error) {
				own = s.Own
				return skein.Change{}, nil
			})
			f.must(err)
			return own
		}
		equal(f, "the sender's", own(said, "ann"), true)
		equal(f, "another's", own(said, "bob"), false)
		equal(f, "nobody's", own(said, ""), false)
		_, _, err := f.DeleteClient(f.Context(), "shop", "ann", f.now(), false)
		f.must(err)
		f.clients("shop", "ann")
		_, err = f.AddMembers(f.Context(), "shop", conv, store.Authority{}, []string{"ann"}, f.now(), store.MemberLimit{})
		f.must(err)
		equal(f, "the new holder's", own(said, "ann"), false)
		equal(f, "the new holder's own", own(f.say("shop", conv, "ann", "also mine"), "ann"), true)
	}},
	{"an edit is the next version, in the log, and told", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		_, said := f.sayAll("shop", conv, "ann")
		f.pass(time.Second)
		c := edit("better")
		c.Message.Attr, c.Message.Mentions = []byte(`2`), []string{"ann", "bob"}
		got := f.change("shop", said, "ann", c)
		want := said
		want.MentionAll, want.Mentions = false, []string{"ann", "bob"}
		want.Text, want.Attr, want.Updated, want.Version, want.Changed = "better", []byte(`2`), f.now(), 2, 1
		line := skein.Change{Seq: 1, Kind: skein.ChangeEdit, By: "ann", At: f.now(), Message: want}
		equal(f, "answer", got, line)
		equal(f, "message", f.look("shop", said, ""), want)
		equal(f, "history", f.history("shop", conv), []skein.Message{want})
		equal(f, "log", f.log("shop", conv, "bob"), []skein.Change{line})
		equal(f, "told", f.told()[1], skein.Committed{Message: want, App: "shop", ConvType: skein.Group, RosterRev: 1, Change: &line})
		equal(f, "number of changes", f.lookup("shop", conv).Changes, 1)
		f.change("shop", said, "", edit("best"))
		equal(f, "by the backend", f.log("shop", conv, "")[1].By, "")
		equal(f, "without attr", f.look("shop", said, "").Attr, nil)
		equal(f, "without mentions", f.look("shop", said, "").Mentions, nil)
		equal(f, "version", f.look("shop", said, "").Version, 3)
	}},
	{"a change moves neither seq nor activity", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		said := f.say("shop", conv, "ann", "one")
		before := f.lookup("shop", conv)
		f.pass(time.Second)
		f.change("shop", said, "ann", edit("two"))
		before.Changes = 1
		equal(f, "conversation", f.lookup("shop", conv), before)
		equal(f, "next seq", f.say("shop", conv, "ann", "more").Seq, 2)
	}},
	{"what is so already is no change", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		said := f.say("shop", conv, "ann", "one")
		pinned := f.say("shop", conv, "ann", "two")
		recalled := f.say("shop", conv, "ann", "three")
		hidden := f.say("shop", conv, "ann", "four")
		f.change("shop", pinned, "ann", pin)
		f.change("shop", recalled, "ann", recall)
		f.change("shop", hidden, "ann", hide)
		log, told := f.log("shop", conv, ""), len(f.told())
		f.pass(time.Second)
		for name, tt := range map[string]struct {
			m skein.Message
			c skein.Change
		}{
			"nothing":                {said, skein.Change{}},
			"the same text":          {said, edit("one")},
			"no pin there":           {said, unpin},
			"no pin, and recalled":   {recalled, unpin},
			"a pin there":            {pinned, pin},
			"recalled already":       {recalled, recall},
			"hidden already":         {hidden, hide},
			"no reaction there":      {said, skein.Change{Kind: skein.ChangeReact, Emoji: "a"}},
			"a kind that is no kind": {said, skein.Change{Kind: 77}},
		} {
			got := f.change("shop", tt.m, "ann", tt.c)
			equal(f, name, got, skein.Change{Message: f.look("shop", tt.m, "ann")})
		}
		equal(f, "log", f.log("shop", conv, ""), log)
		equal(f, "told", len(f.told()), told)
	}},
	{"a decision against it changes nothing", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		said := f.say("shop", conv, "ann", "one")
		no := errors.New("no")
		_, err := f.ChangeMessage(f.Context(), "shop", conv, said.ID, store.Needs("ann", skein.NeedClient), "", func(skein.MessageState) (skein.Change, error) {
			return recall, no
		})
		f.wantErr(err, no)
		equal(f, "history", f.history("shop", conv), []skein.Message{said})
		equal(f, "log", len(f.log("shop", conv, "")), 0)
		equal(f, "told", len(f.told()), 1)
	}},
	{"only what is there can change", func(f *fixture) {
		f.app("shop", "ann")
		f.app("game", "ann")
		conv, other, gone := f.group("shop", "ann"), f.group("shop", "ann"), f.group("shop", "ann")
		said, lost := f.say("shop", conv, "ann", "one"), f.say("shop", gone, "ann", "one")
		_, err := f.DeleteConversation(f.Context(), "shop", gone, store.Authority{})
		f.must(err)
		for name, tt := range map[string]struct {
			app      string
			conv, id skein.ID
			want     error
		}{
			"no such message":          {"shop", conv, f.newID(), skein.ErrUnknownMessage},
			"another conversation's":   {"shop", other, said.ID, skein.ErrUnknownMessage},
			"no such conversation":     {"shop", f.newID(), said.ID, skein.ErrUnknownConversation},
			"another app":              {"game", conv, said.ID, skein.ErrUnknownConversation},
			"in a deleted one":         {"shop", gone, lost.ID, skein.ErrUnknownConversation},
			"an app that is not there": {"none", conv, said.ID, skein.ErrUnknownConversation},
		} {
			_, err := f.ChangeMessage(f.Context(), tt.app, tt.conv, tt.id, store.Needs("ann", skein.NeedClient), "", makes(recall))
			if !errors.Is(err, tt.want) {
				f.Fatalf("%s: got error %v, want %v", name, err, tt.want)
			}
		}
		for _, conv := range []skein.ID{gone, f.newID()} {
			equal(f, "log of what is unknown", len(f.log("shop", conv, "")), 0)
			equal(f, "pins there", len(f.pins("shop", conv, "")), 0)
		}
		equal(f, "log in another app", len(f.log("game", conv, "")), 0)
	}},
	{"a change is decided on what is there now", func(f *fixture) {
		f.app("shop", "ann", "bob", "eve")
		conv := f.group("shop", "ann", "bob")
		said, other := f.say("shop", conv, "ann", "one"), f.say("shop", conv, "bob", "two")
		f.change("shop", other, "ann", pin)
		f.change("shop", said, "bob", skein.Change{Kind: skein.ChangeReact, Emoji: "a", On: true})
		f.change("shop", said, "bob", hide)
		blank := f.look("shop", said, "")
		blank.Blank(skein.StatusDeleted)
		for name, tt := range map[string]struct {
			by, emoji string
			member    string
			message   skein.Message
			reacted   bool
		}{
			"a member":           {"ann", "a", "ann", f.look("shop", said, ""), false},
			"who hid it":         {"bob", "a", "bob", blank, true},
			"with another emoji": {"bob", "b", "bob", blank, false},
			"a stranger":         {"eve", "a", "", f.look("shop", said, ""), false},
			"the backend":        {"", "a", "", f.look("shop", said, ""), false},
		} {
			var s skein.MessageState
			_, err := f.ChangeMessage(f.Context(), "shop", conv, said.ID, store.Needs(tt.by, skein.NeedClient), tt.emoji, func(state skein.MessageState) (skein.Change, error) {
				s = state
				return skein.Change{}, nil
			})
			f.must(err)
			_, member, err := f.Conversation(f.Context(), "shop", conv, tt.member)
			f.must(err)
			equal(f, name, s, skein.MessageState{
				Conversation: f.lookup("shop", conv), Member: member, Message: tt.message, Own: tt.by == said.Sender, Reacted: tt.reacted, Pins: 1,
			})
		}
	}},
	{"who deletes a message for itself sees it blank; nobody else is told", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		f.say("shop", conv, "ann", "before")
		said := f.say("shop", conv, "ann", "one")
		f.say("shop", conv, "ann", "behind")
		f.change("shop", said, "ann", pin)
		whole := f.look("shop", said, "")
		blank := whole
		blank.Blank(skein.StatusDeleted)
		got := f.change("shop", said, "bob", hide)
		line := skein.Change{Seq: 2, Kind: skein.ChangeHide, By: "bob", At: f.now(), Message: blank}
		equal(f, "answer", got, line)
		equal(f, "told", f.told()[4], skein.Committed{Message: blank, App: "shop", ConvType: skein.Group, RosterRev: 1, Change: &line})
		for viewer, want := range map[string]skein.Message{"": whole, "ann": whole, "bob": blank} {
			equal(f, "message to "+viewer, f.look("shop", said, viewer), want)
			equal(f, "pins to "+viewer, f.pins("shop", conv, viewer), []skein.Message{want})
			equal(f, "log to "+viewer, f.log("shop", conv, viewer)[0].Message, want)
			for _, newest := range []bool{true, false} {
				page, err := f.Messages(f.Context(), "shop", conv, skein.SeqRange{Limit: 9, Newest: newest, Viewer: viewer})
				f.must(err)
				equal(f, "page to "+viewer, page[1], want)
				equal(f, "beside it", page[0].Status+page[2].Status, 2*skein.StatusNormal)
			}
		}
		equal(f, "to who did it", f.log("shop", conv, "bob")[1], line)
		equal(f, "to others", f.log("shop", conv, "ann")[1], skein.Change{Seq: 2, At: f.now()})
		line.Message = whole
		equal(f, "to nobody in particular", f.log("shop", conv, "")[1], line)
		f.change("shop", said, "ann", edit("two"))
		told := f.told()
		equal(f, "to whom the next is blank", told[len(told)-1].Hidden, []string{"bob"})
		equal(f, "to who hid it, after an edit", f.look("shop", said, "bob").Text, "")
	}},
	{"the newest pin comes first, whatever the clock says", func(f *fixture) {
		f.app("shop", "ann")
		conv, other := f.group("shop", "ann"), f.group("shop", "ann")
		f.change("shop", f.say("shop", other, "ann", "other"), "ann", pin)
		var said []skein.Message
		for i := range 4 {
			said = append(said, f.say("shop", conv, "ann", fmt.Sprint(i)))
		}
		order := func() (order []int64) {
			for _, m := range f.pins("shop", conv, "ann") {
				order = append(order, m.Seq)
			}
			return order
		}
		f.change("shop", said[1], "ann", pin)
		f.change("shop", said[0], "ann", pin) // in the same moment
		f.pass(-time.Hour)
		f.change("shop", said[3], "ann", pin)
		equal(f, "pins", order(), []int64{4, 1, 2})
		f.change("shop", said[0], "ann", unpin)
		equal(f, "without one", order(), []int64{4, 2})
		equal(f, "it", f.look("shop", said[0], "").Pinned, 0)
		f.change("shop", said[0], "ann", pin)
		equal(f, "pinned again", order(), []int64{1, 4, 2})
	}},
	{"a range of the log is read oldest first", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		said := f.say("shop", conv, "ann", "0")
		for i := range 5 {
			f.change("shop", said, "ann", edit(fmt.Sprint(i+1)))
		}
		for name, tt := range map[string]struct {
			r    skein.ChangeRange
			want []int64
		}{
			"all":            {skein.ChangeRange{Limit: 9}, []int64{1, 2, 3, 4, 5}},
			"the first two":  {skein.ChangeRange{Limit: 2}, []int64{1, 2}},
			"after":          {skein.ChangeRange{After: 3, Limit: 9}, []int64{4, 5}},
			"after, cut":     {skein.ChangeRange{After: 1, Limit: 2}, []int64{2, 3}},
			"after the end":  {skein.ChangeRange{After: 1 << 60, Limit: 9}, nil},
			"none asked for": {skein.ChangeRange{}, nil},
		} {
			page, err := f.Changes(f.Context(), "shop", conv, tt.r)
			f.must(err)
			var seqs []int64
			for _, c := range page {
				seqs = append(seqs, c.Seq)
			}
			equal(f, name, seqs, tt.want)
		}
	}},
	{"many changes at once are dense, each there once, and told in order to the node that made them", func(f *fixture) {
		f.app("shop", "ann")
		var said []skein.Message
		for range 3 {
			said = append(said, f.say("shop", f.group("shop", "ann"), "ann", "0"))
		}
		const n = 300
		f.together(n, func(i int) error {
			if i%10 == 0 { // beside messages
				_, _, err := f.one().Append(f.Context(), f.draft("shop", said[i%3].Conv, "ann", "more"))
				return err
			}
			c := edit(fmt.Sprint(i))
			_, err := f.one().ChangeMessage(f.Context(), "shop", said[i%3].Conv, said[i%3].ID, store.Needs("ann", skein.NeedClient), "", makes(c))
			return err
		})
		told := map[skein.ID][]skein.Change{}
		for _, c := range f.toldChanges() {
			told[c.Message.Conv] = append(told[c.Message.Conv], c)
		}
		for _, m := range said {
			log := f.log("shop", m.Conv, "")
			equal(f, "logged", len(log), n/3*9/10)
			for i, c := range log {
				equal(f, "number", c.Seq, int64(i+1))
				equal(f, "told", told[m.Conv][i].Seq, c.Seq)
				equal(f, "version told", told[m.Conv][i].Message.Version, i+2)
			}
			equal(f, "last told", told[m.Conv][len(log)-1], log[len(log)-1])
			equal(f, "messages", f.lookup("shop", m.Conv).LastSeq, n/3/10+1)
		}
	}},
}
