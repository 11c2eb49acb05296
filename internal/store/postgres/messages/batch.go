package messages

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

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
	earlier map[retry][]earlier // messages that a draft may be a retry of
	known   map[skein.ID]sent   // messages by id
	again   bool                // an answer relies on an earlier commit

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
	place

	sender string
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
		earlier: make(map[retry][]earlier),
	}
}

// resolve finds the keys of the conversations. Those it does not know it looks up first: the
// locks need them.
func (b *batch) resolve(ctx context.Context) error {
	var apps []string
	var ids [][16]byte
	for i, d := range b.drafts {
		k, ok := b.c.key(conversation{d.App, d.Conv})
		if !ok {
			apps, ids = append(apps, d.App), append(ids, d.Conv)
		}
		b.where[i] = k
	}
	if len(apps) == 0 {
		return nil
	}
	found, err := b.c.conn.Query(ctx, `SELECT w.app, w.id, c.app_key, c.conv_key FROM unnest($1::text[], $2::uuid[]) w(app, id)
		JOIN apps a ON a.id = w.app AND NOT a.deleted JOIN conversations c ON c.app_key = a.app_key AND c.id = w.id AND c.deleted = 0`, apps, ids)
	if err != nil {
		return err
	}
	var name conversation
	var k convKey
	_, err = pgx.ForEachRow(found, []any{&name.app, &name.id, &k.app, &k.conv}, func() error {
		b.c.keep(name, k)
		b.fresh[k.conv] = true
		return nil
	})
	for i, d := range b.drafts {
		b.where[i] = b.c.keys[conversation{d.App, d.Conv}]
	}
	return err
}

// look takes the locks and reads what decides, in one round trip.
func (b *batch) look(ctx context.Context) error {
	asked := b.questions()
	if len(asked.convs) == 0 {
		return nil
	}
	var q pgx.Batch
	q.Queue(`BEGIN`)
	q.Queue(tx.LockConversations, asked.convs)
	q.Queue(`SELECT stamp(), retry_table FROM history`).QueryRow(func(row pgx.Row) error { return row.Scan(&b.stamp, &b.table) })
	q.Queue(lookConversations, asked.convs).Query(b.readConversations)
	q.Queue(lookClients, asked.senderApps, asked.senders).Query(b.readClients)
	q.Queue(lookMembers, asked.memberConvs, asked.members).Query(b.readMembers)
	if len(asked.tags) > 0 {
		q.Queue(lookRetries, asked.tagConvs, asked.tags).Query(b.readRetries)
	}
	if len(asked.ids) > 0 {
		q.Queue(lookMessages, asked.ids).Query(b.readMessages)
	}
	return b.c.conn.SendBatch(ctx, &q).Close()
}

const (
	lookConversations = `SELECT c.conv_key, c.app_key, c.type, c.mute_all, c.last_seq, c.roster_rev, c.ttl, c.speaker, c.spoke, c.active, c.expires
		FROM conversations c JOIN apps a ON a.app_key = c.app_key AND NOT a.deleted
		WHERE c.conv_key = ANY ($1::bigint[]) AND c.deleted = 0`
	lookClients = `SELECT k.app_key, k.id, k.banned_until, k.incarnation, k.deleted
		FROM unnest($1::bigint[], $2::text[]) w(app_key, id) JOIN clients k ON k.app_key = w.app_key AND k.id = w.id`
	lookMembers = `SELECT m.conv_key, m.client_id, m.member_key, m.role, m.muted_until, greatest(m.join_seq - 1, m.cleared_seq, m.read_seq, m.sent_seq)
		FROM unnest($1::bigint[], $2::text[]) w(conv_key, id) JOIN members m ON m.conv_key = w.conv_key AND m.client_id = w.id`
	// All three tables: which of them is filled now may change at any moment.
	lookRetries = `SELECT ` + tx.MessageColumns + `, w.conv_key, w.tag, m.content_hash, m.incarnation
		FROM unnest($1::bigint[], $2::bigint[]) w(conv_key, tag) CROSS JOIN LATERAL (
			SELECT seq FROM retries_0 r WHERE r.conv_key = w.conv_key AND r.tag = w.tag UNION ALL
			SELECT seq FROM retries_1 r WHERE r.conv_key = w.conv_key AND r.tag = w.tag UNION ALL
			SELECT seq FROM retries_2 r WHERE r.conv_key = w.conv_key AND r.tag = w.tag) r
		JOIN messages m ON m.conv_key = w.conv_key AND m.seq = r.seq`
	lookMessages = `SELECT m.id, m.conv_key, m.seq, m.sender FROM messages m WHERE m.id = ANY ($1::uuid[])`
)

// questions are the keys that look asks for, each once.
type questions struct {
	convs          []int64 // ascending
	senderApps     []int64
	senders        []string
	memberConvs    []int64
	members        []string
	tagConvs, tags []int64
	ids            [][16]byte
}

func (b *batch) questions() (q questions) {
	for i, d := range b.drafts {
		k := b.where[i]
		if k.conv == 0 {
			continue
		}
		q.convs = append(q.convs, k.conv)
		if name := (clientName{k.app, d.Sender}); !has(b.senders, name) {
			b.senders[name] = nil
			q.senderApps, q.senders = append(q.senderApps, k.app), append(q.senders, d.Sender)
		}
		if name := (memberName{k.conv, d.Sender}); !has(b.members, name) {
			b.members[name] = nil
			q.memberConvs, q.members = append(q.memberConvs, k.conv), append(q.members, d.Sender)
		}
		if d.hash != nil {
			q.tagConvs, q.tags = append(q.tagConvs, k.conv), append(q.tags, d.tag)
		}
		if b.careful {
			q.ids = append(q.ids, d.ID)
		}
		if !d.ReplyTo.IsZero() {
			q.ids = append(q.ids, d.ReplyTo)
		}
	}
	slices.Sort(q.convs)
	q.convs = slices.Compact(q.convs)
	return q
}

func has[K comparable, V any](m map[K]V, key K) bool {
	_, ok := m[key]
	return ok
}

func (b *batch) readConversations(found pgx.Rows) error {
	for found.Next() {
		t := new(timeline)
		var kind int16
		var ttl int64
		err := found.Scan(&t.key, &t.app, &kind, &t.muteAll, &t.lastSeq, &t.rosterRev, &ttl, &t.lastSender, &t.lastSent, (*int64)(&t.active), (*int64)(&t.expires))
		if err != nil {
			return err
		}
		t.kind, t.ttl = skein.ConvType(kind), time.Duration(ttl)*time.Millisecond
		b.lines[t.key] = t
	}
	return found.Err()
}

func (b *batch) readClients(found pgx.Rows) error {
	for found.Next() {
		var name clientName
		var s sender
		var deleted bool
		if err := found.Scan(&name.app, &name.id, (*int64)(&s.bannedUntil), &s.incarnation, &deleted); err != nil {
			return err
		}
		if deleted {
			b.former[name] = s.incarnation
		} else {
			b.senders[name] = &s
		}
	}
	return found.Err()
}

func (b *batch) readMembers(found pgx.Rows) error {
	for found.Next() {
		var name memberName
		var m member
		var role int16
		if err := found.Scan(&name.conv, &name.id, &m.key, &role, (*int64)(&m.mutedUntil), &m.read); err != nil {
			return err
		}
		m.role = skein.Role(role)
		b.members[name] = &m
	}
	return found.Err()
}

func (b *batch) readRetries(found pgx.Rows) error {
	for found.Next() {
		var e earlier
		var key retry
		var err error
		if e.Message, err = tx.ReadMessage(found, skein.ID{}, &key.conv, &key.tag, &e.hash, &e.incarnation); err != nil {
			return err
		}
		b.earlier[key] = append(b.earlier[key], e)
	}
	return found.Err()
}

func (b *batch) readMessages(found pgx.Rows) error {
	for found.Next() {
		var id skein.ID
		var p sent
		if err := found.Scan((*[16]byte)(&id), &p.conv, &p.seq, &p.sender); err != nil {
			return err
		}
		b.known[id] = p
	}
	return found.Err()
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
		if !rows.SameContent(e.Message, e.hash, d.Body, d.hash) {
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
	return skein.Committed{Message: m, App: d.App, ConvType: t.kind, RosterRev: t.rosterRev, Device: d.Device, Spoken: spoken}
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
	b.known[m.ID] = sent{place{t.key, m.Seq}, m.Sender}
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
