package chaos

import (
	"reflect"
	"slices"
)

// logbook is where a device stands in a conversation, as its events tell.
type logbook struct{ last, change int64 }

// checkLogs follows each device's logs: every message and every change once, each
// the one after the last.
func (c *checker) checkLogs() {
	books := map[string]*logbook{}
	for _, e := range c.events {
		key := deviceOf(e) + " " + e.Conv
		b := books[key]
		switch e.Kind {
		case kindStart:
			books[key] = &logbook{e.Seq, e.Change}
		case kindGone:
			delete(books, key)
		case kindSkip:
			b.last = max(b.last, e.Seq)
		case kindTake:
			if e.Seq != b.last+1 {
				c.breach(once, "%s: seq %d comes after seq %d (n %d)", key, e.Seq, b.last, e.N)
			}
			b.last = e.Seq
			c.checkTaken(key, e)
		case kindApply:
			if e.Change != b.change+1 {
				c.breach(applied, "%s: change %d comes after change %d (n %d)", key, e.Change, b.change, e.N)
			}
			b.change = e.Change
			c.checkApplied(key, e)
		}
	}
}

// checkTaken wants a message of the log to be the one that is stored.
func (c *checker) checkTaken(key string, e event) {
	truth := c.truth[e.Conv]
	if truth == nil {
		return
	}
	if e.Seq < 1 || e.Seq > int64(len(truth.Messages)) || truth.Messages[e.Seq-1].ID != e.MsgID {
		c.breach(once, "%s: seq %d was %s, which is not stored there (n %d)", key, e.Seq, e.MsgID, e.N)
	}
}

// checkApplied wants a change to be the one in the log, or "none" where it is not
// the client's to see.
func (c *checker) checkApplied(key string, e event) {
	truth := c.truth[e.Conv]
	if truth == nil {
		return
	}
	if e.Change < 1 || e.Change > int64(len(truth.Changes)) {
		c.breach(logged, "%s: change %d is not in the log (n %d)", key, e.Change, e.N)
		return
	}
	got, want := e.Changes[0], truth.Changes[e.Change-1]
	if got.Kind == "none" {
		if (want.Kind != "delete" || want.Client == e.Client) && !c.mayBeBelowFloor(e.Client, e.Conv, want.MsgID) {
			c.breach(sameState, "%s: change %d came as none and is %s of %s (n %d)", key, e.Change, want.Kind, want.MsgID, e.N)
		}
		return
	}
	if got.Kind != want.Kind || got.MsgID != want.MsgID || got.Client != want.Client || got.Emoji != want.Emoji || got.On != want.On {
		c.breach(sameState, "%s: change %d came as %+v and is %+v (n %d)", key, e.Change, got, want, e.N)
	}
	if want.Kind == "delete" && want.Client != e.Client {
		c.breach(stranger, "%s: change %d is %s's own (n %d)", key, e.Change, want.Client, e.N)
	}
}

// mayBeBelowFloor reports whether a client may at some time not have been shown a
// message: it had cleared it, or joined after it where history is private.
func (c *checker) mayBeBelowFloor(client, conv, id string) bool {
	seq := c.byID[id].Seq
	for _, d := range c.deeds {
		if d.Op == "conv.mark" && d.Client == client && d.Conv == conv && d.Args.ClearToSeq != nil && *d.Args.ClearToSeq >= seq {
			return true
		}
	}
	return c.private[c.clients[client]] && len(c.moves[who{client, conv}]) > 0
}

// checkHolds wants every device of every member to hold at the end what is true,
// and nobody else anything.
func (c *checker) checkHolds() {
	holds := map[string]bool{}
	devices := map[string]map[string]bool{} // of each client
	for _, e := range c.events {
		if e.Kind == kindStart || e.Kind == kindLogin {
			if devices[e.Client] == nil {
				devices[e.Client] = map[string]bool{}
			}
			devices[e.Client][e.Device] = true
		}
		if e.Kind == kindHold {
			holds[e.Client+" "+e.Device+" "+e.Conv] = true
			c.checkHold(e)
		}
	}
	for conv, truth := range c.truth {
		for _, client := range truth.Members {
			for device := range devices[client] {
				if !holds[client+" "+device+" "+conv] {
					c.breach(once, "%s/%s is a member of %s and holds nothing of it", client, device, conv)
				}
			}
		}
	}
}

func (c *checker) checkHold(e event) {
	truth := c.truth[e.Conv]
	if truth == nil || !slices.Contains(truth.Members, e.Client) {
		if truth != nil || c.deleted[e.Conv] {
			c.breach(departed, "%s holds %s at the end and is no member", deviceOf(e), e.Conv)
		}
		return
	}
	if n := last(truth); e.Seq != n {
		c.breach(once, "%s: the log of %s ends at seq %d of %d", deviceOf(e), e.Conv, e.Seq, n)
	}
	if n := int64(len(truth.Changes)); e.Change != n {
		c.breach(applied, "%s: the changes of %s end at %d of %d", deviceOf(e), e.Conv, e.Change, n)
	}
	hidden := c.hidden(truth, e.Client)
	for _, got := range e.Messages {
		if got.Seq < 1 || got.Seq > int64(len(truth.Messages)) {
			continue // checkTaken said so
		}
		want := truth.Messages[got.Seq-1]
		switch {
		case hidden[want.ID]:
			if !got.blank() || got.Text != "" {
				c.breach(sameState, "%s: seq %d of %s was deleted by its client and reads %q", deviceOf(e), got.Seq, e.Conv, got.Text)
			}
		case !reflect.DeepEqual(bare(got), bare(want)):
			c.breach(sameState, "%s: seq %d of %s is held as %+v and is %+v", deviceOf(e), got.Seq, e.Conv, got, want)
		}
	}
}

// hidden are the messages that a client deleted for itself.
func (c *checker) hidden(truth *event, client string) map[string]bool {
	out := map[string]bool{}
	for _, ch := range truth.Changes {
		if ch.Kind == "delete" && ch.Client == client {
			out[ch.MsgID] = true
		}
	}
	return out
}

// bare is a message without the difference of an empty list and none.
func bare(m message) message {
	if len(m.Mentions) == 0 {
		m.Mentions = nil
	}
	if len(m.Reactions) == 0 {
		m.Reactions = nil
	}
	return m
}

// told is one text of one version of a message.
type told struct {
	text string
	n    int
}

// checkVersions wants each version of each message to read the same to everybody, and the
// first as it was sent. A msg.new names no version: it reads as one of them, since a late
// one shows the message as it is by then.
func (c *checker) checkVersions() {
	type version struct {
		id string
		v  int
	}
	texts := map[version]told{}
	see := func(m message, n int) {
		if m.blank() || m.Version == 0 {
			return
		}
		key := version{m.ID, m.Version}
		first, known := texts[key]
		if !known {
			texts[key] = told{m.Text, n}
			return
		}
		if first.text != m.Text {
			c.breach(sameState, "%s version %d reads %q (n %d) and %q (n %d)", m.ID, m.Version, first.text, first.n, m.Text, n)
		}
	}
	for _, d := range c.sends {
		for _, a := range d.succeeded() {
			see(message{ID: a.reply.MsgID, Version: 1, Text: d.Args.Text, Status: statusNormal}, d.N)
		}
	}
	for _, e := range c.events {
		if e.Kind == kindLive {
			e.Messages = nil
		}
		for _, m := range shown(e) {
			see(m, e.N)
		}
	}
	for _, e := range c.events {
		if e.Kind != kindLive {
			continue
		}
		for _, m := range e.Messages {
			first, known := texts[version{m.ID, 1}]
			ok := !known || m.Text == "" // it was recalled, or deleted for oneself
			for v := 1; !ok && texts[version{m.ID, v}].n != 0; v++ {
				ok = texts[version{m.ID, v}].text == m.Text
			}
			if !ok {
				c.breach(sameState, "%s version 1 reads %q (n %d) and %q (n %d)", m.ID, first.text, first.n, m.Text, e.N)
			}
		}
	}
	for _, d := range c.deeds {
		c.checkEdited(d)
	}
}

// checkEdited wants the answer to an edit to show it.
func (c *checker) checkEdited(d *deedDone) {
	for i, a := range d.succeeded() {
		if d.Op == "msg.edit" && i == 0 && len(d.attempts) == 1 && a.reply.Messages[0].Text != d.Args.Text {
			c.breach(sameState, "%s was edited to %q and answered as %q", d.Args.MsgID, d.Args.Text, a.reply.Messages[0].Text)
		}
	}
}

// shown are all messages that an event shows.
func shown(e event) []message {
	out := slices.Clone(e.Messages)
	if e.Kind == kindReply && e.Op == "msg.send" {
		out = nil
	}
	for _, ch := range e.Changes {
		if ch.Message != nil {
			out = append(out, *ch.Message)
		}
	}
	if e.View != nil && e.View.Last != nil {
		out = append(out, *e.View.Last)
	}
	return out
}
