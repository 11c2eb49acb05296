package committer

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

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
	c, err := b.c.conn.Conn(ctx)
	if err != nil {
		return err
	}
	found, err := c.Query(ctx, `SELECT w.app, w.id, c.app_key, c.conv_key FROM unnest($1::text[], $2::uuid[]) w(app, id) CROSS JOIN LATERAL (
		SELECT c.app_key, c.conv_key FROM conversations c
		WHERE c.app_key = (SELECT a.app_key FROM apps a WHERE a.id = w.app AND NOT a.deleted) AND c.id = w.id AND c.deleted = 0 OFFSET 0) c`, apps, ids)
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
	err := b.c.conn.Begin(ctx, func(q *pgx.Batch) {
		if b.c.begun++; b.c.begun%planFor == 0 {
			q.Queue(`DISCARD PLANS`)
		}
		q.Queue(tx.LockConversations, asked.convs)
		q.Queue(`SELECT ` + tx.Stamp + `, retry_table FROM history`).QueryRow(func(row pgx.Row) error { return row.Scan(&b.stamp, &b.table) })
		q.Queue(lookConversations, asked.convs).Query(b.readConversations)
		q.Queue(lookClients, asked.senderApps, asked.senders).Query(b.readClients)
		q.Queue(lookMembers, asked.memberConvs, asked.members).Query(b.readMembers)
		if len(b.fresh) > 0 {
			q.Queue(lookJoined, slices.Collect(maps.Keys(b.fresh)), mostJoined).Query(b.readJoined)
		}
		if len(asked.tags) > 0 {
			q.Queue(lookRetries, asked.tagConvs, asked.tags).Query(b.readRetries)
		}
		if len(asked.ids) > 0 {
			q.Queue(lookMessages, asked.ids).Query(b.readMessages)
		}
	})
	if err != nil {
		return err
	}
	return b.lookEarlier(ctx)
}

// lookEarlier reads the messages that drafts may be retries of.
func (b *batch) lookEarlier(ctx context.Context) error {
	if len(b.retries.tags) == 0 {
		return nil
	}
	c, err := b.c.conn.Conn(ctx)
	if err != nil {
		return err
	}
	found, err := c.Query(ctx, lookEarlier, b.retries.convs, b.retries.tags, b.retries.seqs)
	if err != nil {
		return err
	}
	defer found.Close()
	return b.readEarlier(found)
}

// mostJoined bounds the members that come with a conversation's first message: an event names no
// more of them.
const mostJoined = 64

// OFFSET 0 makes PostgreSQL look each key up by its index. Without it a plan that was made while
// the table was nearly empty may begin with the table and read it as a whole, ever after.
const (
	lookConversations = `SELECT c.conv_key, c.app_key, c.type, c.mute_all, c.last_seq, c.roster_rev, c.ttl, c.speaker, c.spoke, c.active, c.expires
		FROM conversations c WHERE c.conv_key = ANY ($1::bigint[]) AND c.deleted = 0 AND c.app_key NOT IN (SELECT app_key FROM apps WHERE deleted)`
	lookClients = `SELECT w.app_key, w.id, k.banned_until, k.incarnation, k.deleted
		FROM unnest($1::bigint[], $2::text[]) w(app_key, id) CROSS JOIN LATERAL (
			SELECT banned_until, incarnation, deleted FROM clients k WHERE k.app_key = w.app_key AND k.id = w.id OFFSET 0) k`
	lookMembers = `SELECT w.conv_key, w.id, m.member_key, m.role, m.muted_until, m.read
		FROM unnest($1::bigint[], $2::text[]) w(conv_key, id) CROSS JOIN LATERAL (
			SELECT member_key, role, muted_until, greatest(join_seq - 1, cleared_seq, read_seq, sent_seq) AS read
			FROM members m WHERE m.conv_key = w.conv_key AND m.client_id = w.id OFFSET 0) m`
	// The members of conversations $1 that have at most $2 and do not end by themselves. Whoever
	// delivers a message needs them. They come with the first message of a conversation on this node:
	// to read them one conversation after the other would hold up all other deliveries.
	lookJoined = `SELECT k, m.client_id, m.join_seq FROM unnest($1::bigint[]) k
		CROSS JOIN LATERAL (SELECT FROM conversations c WHERE c.conv_key = k AND c.member_count <= $2 AND c.ttl = 0 OFFSET 0) c
		CROSS JOIN LATERAL (SELECT member_key, client_id, join_seq FROM members m WHERE m.conv_key = k AND m.member_key > 0 OFFSET 0) m
		ORDER BY m.member_key`
	// All three tables: which of them is filled now may change at any moment. The messages are
	// read by a statement of their own, and only if there are any: in one statement PostgreSQL may
	// begin with all messages of the conversations.
	lookRetries = `SELECT w.conv_key, w.tag, r.seq
		FROM unnest($1::bigint[], $2::bigint[]) w(conv_key, tag) CROSS JOIN LATERAL (
			SELECT seq FROM retries_0 r WHERE r.conv_key = w.conv_key AND r.tag = w.tag UNION ALL
			SELECT seq FROM retries_1 r WHERE r.conv_key = w.conv_key AND r.tag = w.tag UNION ALL
			SELECT seq FROM retries_2 r WHERE r.conv_key = w.conv_key AND r.tag = w.tag) r`
	lookEarlier = `SELECT ` + tx.MessageColumns + `, w.conv_key, w.tag, m.content_hash, m.incarnation
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) w(conv_key, tag, seq) CROSS JOIN LATERAL (
			SELECT ` + tx.MessageColumns + `, m.content_hash, m.incarnation FROM messages m WHERE m.conv_key = w.conv_key AND m.seq = w.seq OFFSET 0) m`
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

func (b *batch) readJoined(found pgx.Rows) error {
	var conv, joinSeq int64
	var client string
	_, err := pgx.ForEachRow(found, []any{&conv, &client, &joinSeq}, func() error {
		b.joined[conv] = append(b.joined[conv], skein.NewListener(client, joinSeq))
		return nil
	})
	return err
}

func (b *batch) readRetries(found pgx.Rows) error {
	for found.Next() {
		var conv, tag, seq int64
		if err := found.Scan(&conv, &tag, &seq); err != nil {
			return err
		}
		b.retries.add(conv, tag, seq)
	}
	return found.Err()
}

func (b *batch) readEarlier(found pgx.Rows) error {
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
