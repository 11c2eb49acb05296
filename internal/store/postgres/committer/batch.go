package committer

import (
	"errors"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// batch is one try to store drafts in one transaction, in two round trips: the first takes
// the locks and then looks at everything that decides, the second writes. The rules are in
// Go between them: nothing that they saw can change under the locks, save for a sender's ban,
// which may as well have come a moment later.
type batch struct {
	drafts  []*draft
	careful bool // a message's id may be taken: look
	stored  bool // an earlier try may have been committed: look for its messages

	c     *committer
	tx    *tx.Tx // holds no transaction: it gathers what is told and which numbers were taken
	stamp int64
	table int // of retries

	where   []convKey // of each draft; zero: there is no such conversation
	fresh   map[int64]bool
	lines   map[int64]*timeline
	senders map[clientName]*sender
	former  map[clientName]int64 // incarnations of clients that are not living
	members map[memberName]*member
	retries retryRows                  // rows of retries with the tags of drafts
	earlier map[retry][]earlier        // messages that a draft may be a retry of
	known   map[skein.ID]sent          // messages by id
	again   bool                       // an answer relies on an earlier commit
	joined  map[int64][]skein.Listener // members of conversations that are new to this node; see lookJoined

	rows   messageRows
	behind map[int64]int64 // sent_seq of members whose rows lack it
}

type clientName struct {
	app int64
	id  string
}

type memberName struct {
	conv int64
	id   string
}

// sent is where a message with an id is, and who sent it.
type sent struct {
	conv, seq int64
	sender    string
}

// retry is the key of the tables of retries.
type retry struct{ conv, tag int64 }

// earlier is a message that was stored under a client_msg_id.
type earlier struct {
	skein.Message

	hash        []byte
	incarnation int64
}

// timeline is what a new message needs to know about its conversation.
type timeline struct {
	key, app   int64
	kind       skein.ConvType
	muteAll    bool
	lastSeq    int64
	rosterRev  int64
	ttl        time.Duration // zero: none
	lastSender int64         // key of the member that sent the newest message by a member; zero: none
	lastSent   int64         // seq of that message
	active     skein.Millis
	expires    skein.Millis
	dirty      bool // it has new messages
}

// errStale is about a batch that relied on a memory of a conversation that has gone.
var errStale = errors.New("a conversation has moved")

// begin makes the batch ready for a try.
func (b *batch) begin(c *committer) {
	n := len(b.drafts)
	*b = batch{
		drafts: b.drafts, careful: b.careful, stored: b.stored, c: c,
		tx:    &tx.Tx{Conn: tx.Conn{Now: c.db.Millis()}},
		where: make([]convKey, n), fresh: make(map[int64]bool), lines: make(map[int64]*timeline, n), senders: make(map[clientName]*sender, n),
		former: make(map[clientName]int64), members: make(map[memberName]*member, n), known: make(map[skein.ID]sent), behind: make(map[int64]int64),
		earlier: make(map[retry][]earlier), joined: make(map[int64][]skein.Listener),
	}
}

// stale forgets the conversations that were remembered and are not there, so that the next
// try looks them up. Errors: errStale.
func (b *batch) stale() (err error) {
	for i, d := range b.drafts {
		k := b.where[i]
		if k.conv != 0 && b.lines[k.conv] == nil {
			if !b.fresh[k.conv] {
				err = errStale
			}
			delete(b.c.keys, conversation{d.App, d.Conv})
		}
	}
	return err
}

// decide gives each draft its answer as if the transaction were committed, and gathers the
// rows to write.
func (b *batch) decide() {
	b.rows.room(len(b.drafts))
	for i, d := range b.drafts {
		*d.answer = store.Appended{}
		t := b.lines[b.where[i].conv]
		if t == nil || t.expires <= b.tx.Now {
			d.answer.Err = skein.ErrUnknownConversation
			continue
		}
		*d.answer = b.append(t, d)
		d.answer.RosterRev = t.rosterRev
	}
}

// append is the answer to one draft.
func (b *batch) append(t *timeline, d *draft) store.Appended {
	if b.stored {
		if m, told, ok := b.ours(t, d); ok {
			b.again = true
			b.tx.Told(t.key, told)
			return store.Appended{Message: m}
		}
	}
	if m, found, err := b.first(t, d); err != nil || found {
		b.again = b.again || found
		return store.Appended{Message: m, Again: found, Err: err}
	}
	seen := sight{sender: b.senders[clientName{t.app, d.Sender}], member: b.members[memberName{t.key, d.Sender}]}
	seen.replyThere = !d.ReplyTo.IsZero() && b.known[d.ReplyTo].conv == t.key
	if err := seen.refusal(*d.Draft, t.muteAll, b.tx.Now); err != nil {
		return store.Appended{Err: err}
	}
	if has(b.known, d.ID) {
		return store.Appended{Err: skein.About(skein.ErrConflict, "msg_id")}
	}
	return b.store(t, seen, d)
}

// ours is the draft's own message, if an earlier try of this batch stored it.
func (b *batch) ours(t *timeline, d *draft) (skein.Message, skein.Committed, bool) {
	at, ok := b.known[d.ID]
	if !ok || at.conv != t.key || at.sender != d.Sender {
		return skein.Message{}, skein.Committed{}, false
	}
	m := newMessage(d, at.seq)
	me := b.members[memberName{t.key, d.Sender}]
	spoken := me != nil && (me.key == t.lastSender || me.read >= at.seq)
	return m, b.told(t, d, m, spoken), true
}

// first is the message that was stored under the draft's client_msg_id. Errors: ErrConflict
// when the stored content differs. A client never gets a message that a former holder of its
// id sent.
func (b *batch) first(t *timeline, d *draft) (m skein.Message, found bool, err error) {
	if d.hash == nil {
		return m, false, nil
	}
	name := clientName{t.app, d.Sender}
	incarnation := b.former[name]
	if s := b.senders[name]; s != nil {
		incarnation = s.incarnation
	}
	for _, e := range b.earlier[retry{t.key, d.tag}] {
		if e.Sender != d.Sender || e.ClientMsgID != d.ClientMsgID || e.incarnation != incarnation {
			continue
		}
		if !rows.SameContent(e.Message, e.hash, d.Sent(), d.hash) {
			return m, false, skein.About(skein.ErrConflict, "client_msg_id")
		}
		m = e.Message
		m.Conv = d.Conv
		return m, true, nil
	}
	return m, false, nil
}

func newMessage(d *draft, seq int64) skein.Message {
	m := d.Message
	m.Seq = seq
	m.Status = skein.StatusNormal
	m.Transient = false
	m.Version = 1
	return m
}

func (b *batch) told(t *timeline, d *draft, m skein.Message, spoken bool) skein.Committed {
	return skein.Committed{
		Message: m, App: d.App, ConvType: t.kind, RosterRev: t.rosterRev, Stamp: b.stamp, Device: d.Device, Trace: d.Trace, Spoken: spoken, Members: b.joined[t.key],
	}
}

// store makes the draft the next message of its conversation.
func (b *batch) store(t *timeline, seen sight, d *draft) store.Appended {
	m := newMessage(d, t.lastSeq+1)
	t.dirty = true
	t.lastSeq = m.Seq
	t.active = max(t.active, m.Created)
	if t.ttl > 0 {
		t.expires = max(t.expires, m.Created.Add(t.ttl))
	}
	b.rows.add(t.app, t.key, m, d, seen.sender.incarnation)
	b.known[m.ID] = sent{t.key, m.Seq, m.Sender}
	if d.hash != nil {
		key := retry{t.key, d.tag}
		b.earlier[key] = append(b.earlier[key], earlier{Message: m, hash: d.hash, incarnation: seen.sender.incarnation})
	}
	spoken, passed := b.sentBy(t, seen.member, m.Seq, d.Speaks())
	b.tx.Told(t.key, b.told(t, d, m, spoken))
	return store.Appended{Message: m, Passed: passed}
}

// sentBy records that a member sent the newest message; nil: the sender is none. byMember
// reports whether it has read the message by sending it. unread reports whether it had unread
// messages before; in that case the message counts as read only if reads is set.
//
// The conversation's row names the member that sent last, so a member's own row is written
// only when another member sends.
func (b *batch) sentBy(t *timeline, m *member, seq int64, reads bool) (byMember, unread bool) {
	if m == nil {
		return false, false
	}
	if t.lastSender == m.key {
		m.read = max(m.read, t.lastSent)
	}
	if unread = m.read < seq-1; unread && !reads {
		return false, false
	}
	m.read = seq
	if t.lastSender != m.key && t.lastSender != 0 {
		b.behind[t.lastSender] = t.lastSent
	}
	t.lastSender, t.lastSent = m.key, seq
	return true, unread
}
