package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

var talks = []check{
	{"whatever becomes of messages, everyone sees what a simple model shows, and so does who follows", func(f *fixture) {
		runs := 0
		InWorlds(f.T, func(t *rapid.T) {
			runs++
			k := newTalk(f, fmt.Sprint("app", runs))
			t.Repeat(map[string]func(*rapid.T){
				"":          k.same,
				"say":       k.say,
				"say again": k.sayAgain,
				"edit":      k.edit,
				"recall":    k.recall,
				"react":     k.react,
				"agree":     k.react, // more often than the others
				"object":    k.react,
				"pin":       k.pin,
				"hide":      k.hide,
				"look away": k.lookAway,
				"wait":      func(*rapid.T) { f.pass(time.Second) },
			})
		})
	}},
}

// talk is the model: one conversation of three as plain slices and maps, beside
// the real one.
type talk struct {
	f    *fixture
	app  string
	conv skein.ID

	drafts   []skein.Draft
	messages []skein.Message // as everyone sees them, less their reactions
	emoji    [][]string      // of each message, in the order they came
	reacted  [][]reactor
	hidden   map[string]map[int64]bool // by client: seqs
	log      []skein.Change            // with nothing but ID and Seq of the messages

	told    int                        // how much of what the hook was told has been looked at
	changed []skein.Change             // what it was told of changes
	live    map[string][]skein.Message // what those have who only listen to it
	away    []*absence
}

type reactor struct{ emoji, client string }

// absence is what a viewer saw last.
type absence struct {
	viewer   string
	messages []skein.Message
	change   int64
}

var (
	talkers = names[:3]
	viewers = append([]string{""}, talkers...)
)

func newTalk(f *fixture, app string) *talk {
	f.app(app, talkers...)
	k := &talk{f: f, app: app, conv: f.group(app, talkers...), hidden: map[string]map[int64]bool{}, live: map[string][]skein.Message{}}
	for _, client := range talkers {
		k.hidden[client] = map[int64]bool{}
	}
	k.told = len(f.told())
	return k
}

func (k *talk) say(t *rapid.T) {
	if len(k.messages) == 5 {
		t.Skip("enough to talk about")
	}
	d := k.f.draft(k.app, k.conv, drawTalker(t), drawText(t))
	d.ClientMsgID = d.ID.String()
	m, _, err := k.f.Append(k.f.Context(), d)
	if !expectErr(t, "Append", err, nil) {
		return
	}
	d.Seq, d.Status, d.Version = int64(len(k.messages))+1, skein.StatusNormal, 1
	expect(t, "said", m, d.Message)
	k.drafts, k.messages = append(k.drafts, d), append(k.messages, d.Message)
	k.emoji, k.reacted = append(k.emoji, nil), append(k.reacted, nil)
}

func drawTalker(t *rapid.T) string { return rapid.SampledFrom(talkers).Draw(t, "client") }

func drawText(t *rapid.T) string {
	return rapid.SampledFrom([]string{"yes", "no", "well"}).Draw(t, "text")
}

// draw is the place of one of the messages; without any the action is void.
func (k *talk) draw(t *rapid.T) int {
	if len(k.messages) == 0 {
		t.Skip("no message yet")
	}
	return rapid.IntRange(0, len(k.messages)-1).Draw(t, "message")
}

func (k *talk) sayAgain(t *rapid.T) {
	i := k.draw(t)
	d := k.drafts[i]
	d.ID = k.f.newID()
	m, again, err := k.f.Append(k.f.Context(), d)
	expectErr(t, "Append", err, nil)
	expect(t, "again", again, true)
	expect(t, "the first", m, k.message(i, ""))
}

func (k *talk) edit(t *rapid.T) {
	i := k.draw(t)
	c := edit(drawText(t))
	m := &k.messages[i]
	if m.Status != skein.StatusNormal {
		k.refused(t, i, drawTalker(t), c)
		return
	}
	if m.Text == c.Message.Text {
		k.nothing(t, i, drawTalker(t), c)
		return
	}
	m.Text, m.Updated = c.Message.Text, k.f.now()
	m.Version++
	k.done(t, i, rapid.SampledFrom(viewers).Draw(t, "by"), c)
}

func (k *talk) recall(t *rapid.T) {
	i, by := k.draw(t), rapid.SampledFrom(viewers).Draw(t, "by")
	m := &k.messages[i]
	if m.Status != skein.StatusNormal {
		k.nothing(t, i, by, recall)
		return
	}
	m.Status, m.Body, m.Pinned, m.Updated = skein.StatusRecalled, skein.Body{Type: m.Type}, 0, k.f.now()
	k.emoji[i], k.reacted[i] = nil, nil
	k.done(t, i, by, recall)
}

func (k *talk) react(t *rapid.T) {
	i := k.draw(t)
	r := reactor{rapid.SampledFrom([]string{"a", "b"}).Draw(t, "emoji"), drawTalker(t)}
	c := skein.Change{Kind: skein.ChangeReact, Emoji: r.emoji, On: rapid.Bool().Draw(t, "on")}
	if k.messages[i].Status != skein.StatusNormal {
		k.refused(t, i, r.client, c)
		return
	}
	if c.On == slices.Contains(k.reacted[i], r) {
		k.nothing(t, i, r.client, c)
		return
	}
	if c.On {
		k.reacted[i] = append(k.reacted[i], r)
		if !slices.Contains(k.emoji[i], r.emoji) {
			k.emoji[i] = append(k.emoji[i], r.emoji)
		}
	} else {
		k.reacted[i] = slices.DeleteFunc(k.reacted[i], func(o reactor) bool { return o == r })
		if !slices.ContainsFunc(k.reacted[i], func(o reactor) bool { return o.emoji == r.emoji }) {
			k.emoji[i] = slices.DeleteFunc(k.emoji[i], func(emoji string) bool { return emoji == r.emoji })
		}
	}
	k.done(t, i, r.client, c)
}

func (k *talk) pin(t *rapid.T) {
	i, by := k.draw(t), rapid.SampledFrom(viewers).Draw(t, "by")
	c := skein.Change{Kind: skein.ChangePin, On: rapid.Bool().Draw(t, "on")}
	m := &k.messages[i]
	switch {
	case c.On == (m.Pinned != 0):
		k.nothing(t, i, by, c)
	case m.Status != skein.StatusNormal:
		k.refused(t, i, by, c)
	default:
		newest := slices.MaxFunc(k.messages, func(a, b skein.Message) int { return cmp.Compare(a.Pinned, b.Pinned) }).Pinned
		m.Pinned = 0
		if c.On {
			m.Pinned = max(k.f.now(), newest+1)
		}
		k.done(t, i, by, c)
	}
}

func (k *talk) hide(t *rapid.T) {
	i, by := k.draw(t), drawTalker(t)
	seq := k.messages[i].Seq
	if k.hidden[by][seq] {
		k.nothing(t, i, by, hide)
		return
	}
	k.hidden[by][seq] = true
	k.done(t, i, by, hide)
}

// lookAway has a viewer remember what it sees now.
func (k *talk) lookAway(t *rapid.T) {
	viewer := rapid.SampledFrom(viewers).Draw(t, "viewer")
	k.away = append(k.away, &absence{viewer, k.seen(viewer), int64(len(k.log))})
	if len(k.away) > 4 {
		k.away = k.away[1:]
	}
}

// ask makes a change in the store.
func (k *talk) ask(i int, by string, c skein.Change) (skein.Change, error) {
	c.At = k.f.now()
	return k.f.ChangeMessage(k.f.Context(), k.app, k.conv, k.messages[i].ID, store.Needs(by, skein.NeedClient), c.Emoji, makes(c))
}

// done wants the store to make the change that the model has made.
func (k *talk) done(t *rapid.T, i int, by string, c skein.Change) {
	line := skein.Change{Seq: int64(len(k.log)) + 1, Kind: c.Kind, By: by, At: k.f.now(), Emoji: c.Emoji, On: c.On}
	line.Message.Seq = k.messages[i].Seq
	k.log = append(k.log, line)
	if c.Kind != skein.ChangeHide {
		k.messages[i].Changed = line.Seq
	}
	got, err := k.ask(i, by, c)
	expectErr(t, "ChangeMessage", err, nil)
	line.Message = k.message(i, by)
	expect(t, "change", got, line)
}

// nothing wants the store to find that there is nothing to change.
func (k *talk) nothing(t *rapid.T, i int, by string, c skein.Change) {
	got, err := k.ask(i, by, c)
	expectErr(t, "ChangeMessage", err, nil)
	expect(t, "no change", got, skein.Change{Message: k.message(i, by)})
}

// refused wants the store to refuse a change of what is blank.
func (k *talk) refused(t *rapid.T, i int, by string, c skein.Change) {
	_, err := k.ask(i, by, c)
	expectErr(t, "ChangeMessage", err, skein.ErrConflict)
}

// message is one message as a viewer sees it.
func (k *talk) message(i int, viewer string) skein.Message {
	m := k.messages[i]
	if k.hidden[viewer][m.Seq] {
		m.Status, m.Body, m.Pinned = skein.StatusDeleted, skein.Body{Type: m.Type}, 0
		return m
	}
	for _, emoji := range k.emoji[i] {
		r := skein.Reaction{Emoji: emoji}
		for _, by := range k.reacted[i] {
			if by.emoji == emoji {
				r.Count++
				r.Clients = append(r.Clients, by.client)
			}
		}
		m.Reactions = append(m.Reactions, r)
	}
	return m
}

// seen is all messages as a viewer sees them.
func (k *talk) seen(viewer string) (all []skein.Message) {
	for i := range k.messages {
		all = append(all, k.message(i, viewer))
	}
	return all
}

// logged is the log as a viewer sees it.
func (k *talk) logged(viewer string) (log []skein.Change) {
	for _, c := range k.log {
		if c.Kind == skein.ChangeHide && viewer != "" && viewer != c.By {
			c = skein.Change{Seq: c.Seq, At: c.At}
		} else {
			c.Message = k.message(int(c.Message.Seq)-1, viewer)
		}
		log = append(log, c)
	}
	return log
}

// pinned is the pins as a viewer sees them.
func (k *talk) pinned(viewer string) (pins []skein.Message) {
	for i, m := range k.messages {
		if m.Pinned != 0 {
			pins = append(pins, k.message(i, viewer))
		}
	}
	slices.SortFunc(pins, func(a, b skein.Message) int {
		return cmp.Compare(k.messages[b.Seq-1].Pinned, k.messages[a.Seq-1].Pinned)
	})
	return pins
}

// same compares what everyone sees with the model, and what those have who were
// told or who come back.
func (k *talk) same(t *rapid.T) {
	k.listen()
	for _, viewer := range viewers {
		want := k.seen(viewer)
		for _, newest := range []bool{false, true} {
			got, err := k.f.Messages(k.f.Context(), k.app, k.conv, skein.SeqRange{Limit: 1000, Newest: newest, Viewer: viewer})
			expectErr(t, "Messages", err, nil)
			if newest {
				slices.Reverse(got)
			}
			expect(t, "messages to "+viewer, got, want)
		}
		if n := len(want); n > 0 {
			m, err := k.f.Message(k.f.Context(), k.app, k.conv, want[n-1].ID, viewer)
			expectErr(t, "Message", err, nil)
			expect(t, "message to "+viewer, m, want[n-1])
		}
		pins, err := k.f.Pins(k.f.Context(), k.app, k.conv, viewer)
		expectErr(t, "Pins", err, nil)
		expect(t, "pins to "+viewer, pins, k.pinned(viewer))
		expect(t, "log to "+viewer, k.changesAfter(t, viewer, 0), k.logged(viewer))
		expect(t, "what was told "+viewer, k.live[viewer], want)
	}
	for _, a := range k.away {
		expect(t, "what comes back to "+a.viewer, k.comeBack(t, a), k.seen(a.viewer))
	}
	expect(t, "changes told", len(k.changed), len(k.log))
	for i, c := range k.changed {
		want := k.log[i]
		want.Message, c.Message = skein.Message{Seq: want.Message.Seq}, skein.Message{Seq: c.Message.Seq}
		expect(t, "told", c, want)
	}
	expect(t, "number of changes", k.f.lookup(k.app, k.conv).Changes, int64(len(k.log)))
}

// changesAfter reads a log in small pages.
func (k *talk) changesAfter(t *rapid.T, viewer string, after int64) (all []skein.Change) {
	const limit = 5
	for {
		page, err := k.f.Changes(k.f.Context(), k.app, k.conv, skein.ChangeRange{After: after, Limit: limit, Viewer: viewer})
		expectErr(t, "Changes", err, nil)
		all = append(all, page...)
		if len(page) < limit {
			return all
		}
		after = page[limit-1].Seq
	}
}

// comeBack brings what a viewer saw up to date, by what came since and the log.
func (k *talk) comeBack(t *rapid.T, a *absence) []skein.Message {
	have := slices.Clone(a.messages)
	newer, err := k.f.Messages(k.f.Context(), k.app, k.conv, skein.SeqRange{After: int64(len(have)), Limit: 1000, Viewer: a.viewer})
	expectErr(t, "Messages", err, nil)
	have = append(have, newer...)
	for _, c := range k.changesAfter(t, a.viewer, a.change) {
		if c.Kind != skein.ChangeNone && c.Message.Changed >= have[c.Message.Seq-1].Changed {
			have[c.Message.Seq-1] = c.Message
		}
	}
	return have
}

// listen gives what the hook was told to those who live by it.
func (k *talk) listen() {
	news := k.f.toldAfter(k.told)
	k.told += len(news)
	for _, s := range news {
		if s.Change != nil {
			k.changed = append(k.changed, *s.Change)
		}
		for _, viewer := range viewers {
			m := s.Message
			if slices.Contains(s.Hidden, viewer) {
				m.Blank(skein.StatusDeleted)
			}
			switch {
			case s.Change == nil:
				k.live[viewer] = append(k.live[viewer], m)
			case s.Change.Kind != skein.ChangeHide || s.Change.By == viewer:
				k.live[viewer][m.Seq-1] = m
			}
		}
	}
}
