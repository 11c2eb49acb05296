package chaos

import "slices"

// checkSockets wants the live events of one conversation on one socket to ascend.
func (c *checker) checkSockets() {
	type stream struct{ session, conv string }
	seqs, changes := map[stream]int64{}, map[stream]int64{}
	for _, e := range c.events {
		if e.Kind != kindLive {
			continue
		}
		at := stream{session(e), e.Conv}
		if e.Seq > 0 {
			if e.Seq <= seqs[at] {
				c.breach(inOrder, "%s: msg.new %d of %s came after %d (n %d)", at.session, e.Seq, at.conv, seqs[at], e.N)
			}
			seqs[at] = e.Seq
		}
		if e.Change > 0 {
			if e.Change <= changes[at] {
				c.breach(inOrder, "%s: msg.updated %d of %s came after %d (n %d)", at.session, e.Change, at.conv, changes[at], e.N)
			}
			changes[at] = e.Change
		}
	}
}

// checkStrangers wants nothing to come to who was certainly no member, and where
// history is private nothing that was said before the member came.
func (c *checker) checkStrangers() {
	for _, e := range c.events {
		w := who{e.Client, e.Conv}
		switch e.Kind {
		case kindLive:
			c.checkLive(w, e)
		case kindFetch:
			if e.Code == 0 && c.out(w, e.Asked, e.N) && len(e.Messages)+len(e.Changes) > 0 {
				c.breach(stranger, "%s was no member of %s and was answered %d messages (n %d)", e.Client, e.Conv, len(e.Messages), e.N)
			}
			c.checkPast(w, e, e.Asked)
		}
	}
}

func (c *checker) checkLive(w who, e event) {
	login := c.sessions[session(e)]
	for _, m := range e.Messages {
		d := c.sent(e.Conv, m)
		if d == nil {
			continue
		}
		if c.out(w, d.N, min(d.answered(), e.N)) {
			c.breach(stranger, "%s was no member of %s when %s was said, and it came (n %d)", e.Client, e.Conv, m.ClientMsgID, e.N)
		}
	}
	for _, ch := range e.Changes {
		if c.out(w, login, e.N) {
			c.breach(stranger, "%s was no member of %s while its socket lived, and change %d came (n %d)", e.Client, e.Conv, ch.Seq, e.N)
		}
		if ch.Kind == "delete" && ch.Client != e.Client {
			c.breach(stranger, "%s was told that %s deleted %s for itself (n %d)", e.Client, ch.Client, ch.MsgID, e.N)
		}
	}
	if len(e.Changes) > 0 && !c.underWay(w, e) {
		c.checkPast(w, e, e.N)
	}
}

// underWay reports whether the changes of a live event were asked for while the member
// could see their messages. Such an event may reach a slow socket after the member left and
// came back.
func (c *checker) underWay(w who, e event) bool {
	for _, ch := range e.Changes {
		if !slices.ContainsFunc(c.deeds, func(d *deedDone) bool {
			if d.Conv != e.Conv || d.N > e.N || d.Client != ch.Client || d.Args.MsgID != ch.MsgID || d.Op != "msg."+ch.Kind {
				return false
			}
			came, again := c.came(w, d.N)
			return !c.out(w, d.N, d.N) && !(again && ch.Message != nil && c.sentBefore(e.Conv, *ch.Message, came.from))
		}) {
			return false
		}
	}
	return true
}

// checkPast wants nothing in an event that was said before the member came.
func (c *checker) checkPast(w who, e event, at int) {
	if !c.private[e.App] {
		return
	}
	came, ok := c.came(w, at)
	if !ok {
		return
	}
	for _, m := range shown(e) {
		if c.sentBefore(e.Conv, m, came.from) {
			c.breach(stranger, "%s came to %s after %s was said, and it was shown (n %d)", e.Client, e.Conv, m.ClientMsgID, e.N)
		}
	}
}

// ends are when an op on each message was first acked, by msg_id; own: by client
// and msg_id.
func (c *checker) ends(op string, own bool) map[string]int {
	out := map[string]int{}
	for _, d := range c.deeds {
		if d.Op != op || len(d.succeeded()) == 0 {
			continue
		}
		key := d.Args.MsgID
		if own {
			key = d.Client + " " + key
		}
		if _, known := out[key]; !known {
			out[key] = d.succeeded()[0].answered
		}
	}
	return out
}

// checkRecalls wants no text of a message in what was asked for after its recall
// had been acked, nor to who had deleted it for itself.
func (c *checker) checkRecalls() {
	gone, hidden := c.ends("msg.recall", false), c.ends("msg.delete", true)
	for _, e := range c.events {
		asked := e.Asked
		switch e.Kind {
		case kindLive:
			asked = c.sessions[session(e)]
		case kindTruth, kindView:
			asked = e.N
		case kindFetch, kindReply:
		default:
			continue
		}
		for _, m := range shown(e) {
			if at, known := gone[m.ID]; known && at < asked && m.Text != "" {
				c.breach(recalled, "%s reads %q to %s (n %d) after its recall was acked (n %d)", m.ID, m.Text, e.Client, e.N, at)
			}
			if at, known := hidden[e.Client+" "+m.ID]; known && at < asked && m.Text != "" {
				c.breach(sameState, "%s reads %q to %s (n %d), who deleted it for itself (n %d)", m.ID, m.Text, e.Client, e.N, at)
			}
		}
	}
}

// clearing is a clear that was acked.
type clearing struct {
	who

	asked, answered int
	floor           int64
}

func (c *checker) clearings() map[who][]clearing {
	out := map[who][]clearing{}
	for _, d := range c.deeds {
		if d.Op != "conv.mark" || d.Args.ClearToSeq == nil {
			continue
		}
		for _, a := range d.succeeded() {
			w := who{d.Client, d.Conv}
			out[w] = append(out[w], clearing{w, a.asked, a.answered, *d.Args.ClearToSeq})
		}
	}
	return out
}

// checkFloors wants nothing that was cleared in what was asked for after that, as
// long as the member stayed.
func (c *checker) checkFloors() {
	all := c.clearings()
	for _, e := range c.events {
		if e.Kind != kindFetch {
			continue
		}
		for _, cl := range all[who{e.Client, e.Conv}] {
			if cl.answered >= e.Asked || c.movedBetween(cl.who, cl.asked, e.N) {
				continue
			}
			for _, m := range shown(e) {
				if m.Seq <= cl.floor {
					c.breach(cleared, "%s had cleared %s up to %d (n %d) and was shown seq %d (n %d)", e.Client, e.Conv, cl.floor, cl.answered, m.Seq, e.N)
				}
			}
		}
	}
}
