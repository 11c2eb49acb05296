package chaos

import (
	"slices"
)

// checkInbox holds conv.list and a first sync at the end against a model made of
// the calls and the truth.
func (c *checker) checkInbox() {
	type entry struct{ op, client, conv string }
	views := map[entry]bool{}
	for _, e := range c.events {
		if e.Kind != kindView {
			continue
		}
		at := entry{e.Op, e.Client, e.Conv}
		if views[at] {
			c.breach(inbox, "%s of %s has %s twice", e.Op, e.Client, e.Conv)
		}
		views[at] = true
		truth := c.truth[e.Conv]
		if truth == nil || !slices.Contains(truth.Members, e.Client) {
			c.breach(inbox, "%s of %s has %s, which it is no member of", e.Op, e.Client, e.Conv)
			continue
		}
		c.checkView(e, truth)
	}
	for conv, truth := range c.truth {
		for _, client := range truth.Members {
			for _, op := range []string{"conv.list", "sync"} {
				if !views[entry{op, client, conv}] {
					c.breach(inbox, "%s of %s lacks %s", op, client, conv)
				}
			}
		}
	}
}

func (c *checker) checkView(e event, truth *event) {
	v, w := *e.View, who{e.Client, e.Conv}
	name := e.Op + " of " + e.Client + " in " + e.Conv
	if n := last(truth); v.LastSeq != n || v.LastChange != int64(len(truth.Changes)) {
		c.breach(inbox, "%s: last_seq %d, last_change %d; there are %d and %d", name, v.LastSeq, v.LastChange, n, len(truth.Changes))
	}
	c.checkJoined(name, w, v, truth)
	c.checkRead(name, w, v, truth)
	low, high := c.unread(e.Client, v.ReadSeq, v.LastSeq, truth)
	if v.Unread < low || v.Unread > high {
		c.breach(unread, "%s: unread %d after read_seq %d, want %d to %d", name, v.Unread, v.ReadSeq, low, high)
	}
	low, high = c.mentions(e.Client, v.ReadSeq, truth)
	if v.Mentions < low || v.Mentions > high {
		c.breach(unread, "%s: mentions %d after read_seq %d, want %d to %d", name, v.Mentions, v.ReadSeq, low, high)
	}
	c.checkFloor(name, w, v)
	c.checkLast(name, v, truth)
}

// unread counts what says something to a client after a seq, up to another; what it
// deleted for itself may count or not.
func (c *checker) unread(client string, after, upto int64, truth *event) (low, high int64) {
	hidden := c.hidden(truth, client)
	for _, m := range truth.Messages {
		if m.Seq <= after || m.Seq > upto || m.blank() {
			continue
		}
		high++
		if !hidden[m.ID] {
			low++
		}
	}
	return low, high
}

// mentions counts what mentions a client after a seq; what it deleted for itself
// may count or not.
func (c *checker) mentions(client string, after int64, truth *event) (low, high int64) {
	hidden := c.hidden(truth, client)
	for _, m := range truth.Messages {
		if m.Seq <= after || m.blank() || m.MentionAll == 0 && !slices.Contains(m.Mentions, client) {
			continue
		}
		high++
		if !hidden[m.ID] {
			low++
		}
	}
	return low, high
}

// checkJoined wants join_seq to lie between what was acked before the member was
// let in and what was sent after that.
func (c *checker) checkJoined(name string, w who, v view, truth *event) {
	came, ok := c.came(w, never)
	if !ok {
		if len(c.moves[w]) == 0 && v.JoinSeq != 1 {
			c.breach(inbox, "%s: join_seq %d of who was there from the start", name, v.JoinSeq)
		}
		return
	}
	for _, m := range truth.Messages {
		d := c.sent(truth.Conv, m)
		if d == nil {
			continue
		}
		if d.answered() < came.from && v.JoinSeq <= m.Seq || d.N > came.to && v.JoinSeq > m.Seq {
			c.breach(inbox, "%s: join_seq %d; seq %d was said from n %d to n %d, and it came from n %d to n %d", name, v.JoinSeq, m.Seq, d.N, d.answered(), came.from, came.to)
			return
		}
	}
}

// checkRead wants the position to be the highest that was acked, or one that was
// asked for and whose answer was lost.
func (c *checker) checkRead(name string, w who, v view, truth *event) {
	want := v.JoinSeq - 1
	maybe := map[int64]bool{}
	for _, m := range truth.Messages {
		if m.Sender == w.client && m.Seq >= v.JoinSeq {
			want = max(want, m.Seq)
		}
	}
	for _, d := range c.deeds {
		if d.Client != w.client || d.Conv != w.conv || d.Args == nil {
			continue
		}
		to := d.Args.ClearToSeq
		if d.Op == "conv.read" {
			to = d.Args.Seq
		}
		if to == nil || d.Op != "conv.read" && d.Op != "conv.mark" {
			continue
		}
		maybe[*to] = true
		if len(d.succeeded()) > 0 && !c.movedBetween(w, d.N, never) {
			want = max(want, *to)
		}
	}
	if v.ReadSeq != want && (v.ReadSeq < want || !maybe[v.ReadSeq]) {
		c.breach(unread, "%s: read_seq %d, want %d", name, v.ReadSeq, want)
	}
}

// checkFloor wants the floor to be where the member put it, or came in.
func (c *checker) checkFloor(name string, w who, v view) {
	low := int64(0)
	if c.private[c.clients[w.client]] {
		low = v.JoinSeq - 1
	}
	allowed := map[int64]bool{low: true}
	for _, d := range c.deeds {
		if d.Op == "conv.mark" && d.Client == w.client && d.Conv == w.conv && d.Args.ClearToSeq != nil {
			allowed[*d.Args.ClearToSeq] = true
			if len(d.succeeded()) > 0 && !c.movedBetween(w, d.N, never) {
				low = max(low, *d.Args.ClearToSeq)
			}
		}
	}
	if v.FloorSeq < low || !allowed[v.FloorSeq] {
		c.breach(cleared, "%s: floor_seq %d, want %d", name, v.FloorSeq, low)
	}
}

// checkLast wants the last message to be the newest, if it is above the floor.
func (c *checker) checkLast(name string, v view, truth *event) {
	n := last(truth)
	switch {
	case n <= v.FloorSeq:
		if v.Last != nil {
			c.breach(cleared, "%s: shows seq %d at the floor %d", name, v.Last.Seq, v.FloorSeq)
		}
	case v.Last == nil || v.Last.Seq != n || v.Last.ID != truth.Messages[len(truth.Messages)-1].ID:
		c.breach(inbox, "%s: last_message is %+v, the newest is seq %d", name, v.Last, n)
	}
}

// checkPositions wants no read position to be answered below one that was answered
// before it was asked.
func (c *checker) checkPositions() {
	type answered struct {
		n   int
		seq int64
	}
	past := map[who][]answered{}
	for _, e := range c.events {
		if e.Kind != kindReply || e.View == nil {
			continue
		}
		w := who{e.Client, e.Conv}
		for _, a := range past[w] {
			if a.n < e.Asked && e.View.ReadSeq < a.seq {
				c.breach(forward, "%s in %s: read_seq %d (n %d) after %d (n %d)", w.client, w.conv, e.View.ReadSeq, e.N, a.seq, a.n)
				break
			}
		}
		past[w] = append(past[w], answered{e.N, e.View.ReadSeq})
	}
}
