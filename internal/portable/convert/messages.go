package convert

import (
	"bytes"
	"errors"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/portable"
)

// Texts of the report about messages.
const (
	copySame     = "read more than once"
	copyDiffers  = "read more than once, with different content; the newest is kept"
	idTwice      = "msg_id: another message has it; the message got a new one"
	notMember    = "the sender is not a member"
	beforeConv   = "older than its conversation"
	groupReceipt = "received, but the source does not say by whom"
	writerNo     = "not a valid message"
)

// talk numbers and writes the messages of one conversation.
type talk struct {
	*pass
	conv    skein.ID
	created int64
	members map[string]*portable.Member
	seq     int64
}

func (t *talk) messages() error {
	for r := &t.pass.messages; r.next != nil && r.next.M.Conv == t.conv; {
		m, key := r.next, r.key
		for {
			if err := r.advance(); err != nil {
				return err
			}
			if r.next == nil || !bytes.Equal(key, r.key) {
				break
			}
			newest, err := t.copies(m, r.next)
			if err != nil {
				return err
			}
			m = newest
		}
		if err := t.message(m, key); err != nil {
			return err
		}
	}
	return nil
}

// copies keeps the newest of two records of one message and reports the other.
func (t *talk) copies(a, b *kept) (newest *kept, err error) {
	older, newer := a, b
	if a.Newest > b.Newest {
		older, newer = b, a
	}
	newer.Received = a.Received || b.Received
	was, err := encode(older.M)
	if err != nil {
		return nil, err
	}
	is, err := encode(newer.M)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(was, is) {
		t.in.report.count(OfMessage, Merged, copySame, 1)
		return newer, nil
	}
	return newer, t.in.report.add(Line{Kind: OfMessage, Outcome: Merged, Why: copyDiffers, Conv: t.conv.String(), ID: older.M.ID.String(), Client: older.M.Sender, At: older.At, Raw: was})
}

// message gives a message its seq and writes it.
func (t *talk) message(k *kept, key []byte) error {
	m, report := &k.M, t.in.report
	if t.again[reKey(key)] {
		was := m.ID
		m.ID = skein.NamedID(t.o.Name, t.conv.String(), was.String()+string(key[24:]))
		if err := report.add(Line{Kind: OfMessage, Outcome: Changed, Why: idTwice, Detail: "now " + m.ID.String(), Conv: t.conv.String(), ID: was.String(), Client: m.Sender, At: k.At}); err != nil {
			return err
		}
	}
	m.Seq = t.seq + 1
	if err := t.w.Message(*m); err != nil {
		if _, ok := errors.AsType[*skein.Fault](err); !ok {
			return err
		}
		raw, _ := encode(*m)
		return report.add(Line{Kind: OfMessage, Outcome: Refused, Why: writerNo, Detail: err.Error(), Conv: t.conv.String(), ID: m.ID.String(), Client: m.Sender, At: k.At, Raw: raw})
	}
	t.seq++
	report.out[OfMessage]++
	if t.written++; t.o.Progress != nil && t.written%4096 == 0 {
		t.o.Progress("written", t.written)
	}
	if m.Created < t.created {
		report.count(OfMessage, Noted, beforeConv, 1)
	}
	t.positions(k)
	for _, id := range m.Mentions {
		if err := t.in.people.saw(id, m.Created); err != nil {
			return err
		}
	}
	return t.in.people.saw(m.Sender, m.Created)
}

// positions records how far the sender of a message has sent and its receiver has received.
func (t *talk) positions(k *kept) {
	sender := t.members[k.M.Sender]
	if sender != nil {
		sender.SentSeq = t.seq
	} else {
		t.in.report.count(OfMessage, Noted, notMember, 1)
	}
	if !k.Received {
		return
	}
	if len(t.members) != 2 || sender == nil {
		t.in.report.count(OfMessage, Noted, groupReceipt, 1)
		return
	}
	for _, m := range t.members {
		if m != sender {
			m.ReceivedSeq = t.seq
		}
	}
}

// reKey turns the key of a message in Input.messages into what placeOf returns for its key in
// Input.ids.
func reKey(key []byte) string {
	return string(key[24:32]) + string(key[8:24]) + string(key[32:])
}
