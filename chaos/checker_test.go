package chaos

import (
	"fmt"
	"slices"
	"strings"
)

// promise is what a breach is a breach of.
type promise string

const (
	acked     promise = "acked is durable"
	dense     promise = "dense order"
	once      promise = "exactly once" // the log of a device
	sameState promise = "same state"   // what a device holds of each message
	retried   promise = "a retry is no second message"
	refused   promise = "refused is not done"
	inOrder   promise = "in order on one socket"
	logged    promise = "changes are a dense log"
	applied   promise = "changes are applied in order"
	stranger  promise = "nobody sees what is not his"
	recalled  promise = "recalled text is gone"
	cleared   promise = "cleared is gone" // what is below a floor
	inbox     promise = "the inbox is complete"
	unread    promise = "unread and mentions are right"
	forward   promise = "read positions run forward"
	departed  promise = "who has left is told"
	readable  promise = "answers can be read"
)

// breach is one time that a promise was broken.
type breach struct {
	promise promise
	text    string
}

func (b breach) String() string { return fmt.Sprintf("%s: %s", b.promise, b.text) }

// checker reads a history and nothing else.
type checker struct {
	*facts

	found []breach
}

// check names every breach that a history shows.
func check(events []event) []breach {
	c := &checker{facts: gather(events)}
	c.checkAcks()
	c.checkTruth()
	c.checkLogs()
	c.checkHolds()
	c.checkVersions()
	c.checkSockets()
	c.checkStrangers()
	c.checkRecalls()
	c.checkFloors()
	c.checkInbox()
	c.checkPositions()
	return c.found
}

func (c *checker) breach(p promise, format string, args ...any) {
	c.found = append(c.found, breach{p, fmt.Sprintf(format, args...)})
}

// shownBreaches is how many of one promise a report shows.
const shownBreaches = 8

// report is the breaches for people, some of each promise.
func report(found []breach) string {
	var b strings.Builder
	shown := map[promise]int{}
	for _, f := range found {
		if shown[f.promise]++; shown[f.promise] <= shownBreaches {
			fmt.Fprintf(&b, "  %v\n", f)
		}
	}
	for p, n := range shown {
		if n > shownBreaches {
			fmt.Fprintf(&b, "  … %d times in all: %s\n", n, p)
		}
	}
	return b.String()
}

// checkAcks holds what was answered against what there is.
func (c *checker) checkAcks() {
	for _, d := range c.deeds {
		truth := c.truth[d.Conv]
		for _, a := range d.attempts {
			if a.reply.Code < 0 {
				c.breach(readable, "the answer to %s %s (n %d)", d.Op, d.Call, a.answered)
			}
		}
		if truth == nil || c.deleted[d.Conv] {
			continue
		}
		switch d.Op {
		case "msg.send":
			c.checkSend(d, truth)
		case "msg.edit", "msg.recall", "msg.react", "msg.pin", "msg.delete":
			for _, a := range d.succeeded() {
				c.checkChanged(d, a, truth)
			}
		}
	}
}

func (c *checker) checkSend(d *deedDone, truth *event) {
	good := d.succeeded()
	lost := slices.ContainsFunc(d.attempts, func(a attempt) bool { return a.answered == never })
	at := slices.IndexFunc(truth.Messages, func(m message) bool {
		return m.Sender == d.Client && m.ClientMsgID == d.Args.ClientMsgID
	})
	if len(good) == 0 {
		if !lost && at >= 0 {
			c.breach(refused, "%s was answered with code %d and is stored with seq %d", d.Args.ClientMsgID, d.attempts[0].reply.Code, truth.Messages[at].Seq)
		}
		return
	}
	first := good[0].reply
	for _, a := range d.attempts {
		if a.reply.Code == codeConflict {
			c.breach(retried, "%s is seq %d and was refused as another message", d.Args.ClientMsgID, first.Seq)
			return
		}
	}
	for _, a := range good[1:] {
		if a.reply.Seq != first.Seq || a.reply.MsgID != first.MsgID {
			c.breach(retried, "%s was answered as seq %d (%s), then as seq %d (%s)", d.Args.ClientMsgID, first.Seq, first.MsgID, a.reply.Seq, a.reply.MsgID)
			return
		}
	}
	switch {
	case at < 0:
		c.breach(acked, "%s was acked with seq %d in %s and is not there", d.Args.ClientMsgID, first.Seq, d.Conv)
	case truth.Messages[at].Seq != first.Seq || truth.Messages[at].ID != first.MsgID:
		m := truth.Messages[at]
		c.breach(acked, "%s was acked as seq %d (%s) and is seq %d (%s)", d.Args.ClientMsgID, first.Seq, first.MsgID, m.Seq, m.ID)
	default:
		m := truth.Messages[at]
		if m.Version == 1 && m.Status == statusNormal && m.Text != d.Args.Text {
			c.breach(acked, "%s was sent as %q and reads %q", d.Args.ClientMsgID, d.Args.Text, m.Text)
		}
	}
}

// checkChanged holds one acked change of a message against the log of changes.
func (c *checker) checkChanged(d *deedDone, a attempt, truth *event) {
	kinds := map[string]string{"msg.edit": "edit", "msg.recall": "recall", "msg.react": "react", "msg.pin": "pin", "msg.delete": "delete"}
	if d.Args.On != nil && *d.Args.On == 0 {
		return // it may have been off
	}
	ok := slices.ContainsFunc(truth.Changes, func(ch change) bool {
		if ch.Kind != kinds[d.Op] || ch.MsgID != d.Args.MsgID || (d.Op == "msg.react" || d.Op == "msg.pin") && ch.On == 0 {
			return false
		}
		// What another has done already is not done again.
		shared := d.Op == "msg.pin" || d.Op == "msg.recall"
		return shared || ch.Client == d.Client && ch.Emoji == d.Args.Emoji
	})
	if !ok {
		c.breach(acked, "%s of %s by %s (%s) was acked and is not in the log of changes", d.Op, d.Args.MsgID, d.Client, d.Call)
		return
	}
	for _, m := range a.reply.Messages {
		if m.Change > int64(len(truth.Changes)) || m.Change > 0 && truth.Changes[m.Change-1].MsgID != m.ID {
			c.breach(acked, "%s of %s was acked with change %d, which is another", d.Op, d.Args.MsgID, m.Change)
		}
	}
}

// checkTruth holds every conversation to its own rules: dense numbers, one message a
// client_msg_id, and messages that are what their changes made of them.
func (c *checker) checkTruth() {
	for conv, truth := range c.truth {
		ids := map[string]int64{}
		for i, m := range truth.Messages {
			if m.Seq != int64(i+1) {
				c.breach(dense, "%s: place %d holds seq %d", conv, i+1, m.Seq)
				break
			}
			if m.ClientMsgID == "" {
				continue
			}
			key := m.Sender + " " + m.ClientMsgID
			if seq, twice := ids[key]; twice {
				c.breach(retried, "%s: %s is seq %d and seq %d", conv, m.ClientMsgID, seq, m.Seq)
			}
			ids[key] = m.Seq
		}
		for i, ch := range truth.Changes {
			if ch.Seq != int64(i+1) {
				c.breach(logged, "%s: place %d of the changes holds change_seq %d", conv, i+1, ch.Seq)
				break
			}
		}
		c.checkFold(conv, truth)
	}
}
