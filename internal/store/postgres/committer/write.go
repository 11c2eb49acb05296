package committer

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// messageRows are the columns of the messages to insert, and of the rows that come with them.
type messageRows struct {
	convs, seqs      []int64
	ids              [][16]byte
	senders          []string
	clientMsgIDs     []*string
	hashes           [][]byte
	types, flags     []int64
	created, updated []int64
	replies          []*[16]byte
	mentions, attrs  []*string
	urls, texts      []string
	incarnations     []int64
	retries          retryRows
	mentionConvs     []int64
	mentionSeqs      []int64
	mentioned        []string
	named            []naming
}

// retryRows are columns of rows of the tables of retries.
type retryRows struct{ convs, tags, seqs []int64 }

func (r *retryRows) add(conv, tag, seq int64) {
	r.convs, r.tags, r.seqs = append(r.convs, conv), append(r.tags, tag), append(r.seqs, seq)
}

// naming is a message that names files.
type naming struct {
	thing tx.Thing
	app   int64
	stems []string
}

// room makes room for n messages.
func (r *messageRows) room(n int) {
	numbers := make([]int64, 7*n)
	for i, column := range []*[]int64{&r.convs, &r.seqs, &r.types, &r.flags, &r.created, &r.updated, &r.incarnations} {
		*column = numbers[i*n : i*n : (i+1)*n]
	}
	r.ids, r.hashes = make([][16]byte, 0, n), make([][]byte, 0, n)
	r.senders, r.urls, r.texts = make([]string, 0, n), make([]string, 0, n), make([]string, 0, n)
	r.clientMsgIDs, r.mentions, r.attrs = make([]*string, 0, n), make([]*string, 0, n), make([]*string, 0, n)
	r.replies = make([]*[16]byte, 0, n)
}

func (r *messageRows) add(app, conv int64, m skein.Message, d *draft, incarnation int64) {
	r.convs, r.seqs = append(r.convs, conv), append(r.seqs, m.Seq)
	r.ids, r.senders = append(r.ids, m.ID), append(r.senders, m.Sender)
	r.clientMsgIDs, r.hashes = append(r.clientMsgIDs, tx.TextOrNull(m.ClientMsgID)), append(r.hashes, d.hash)
	r.types, r.flags = append(r.types, int64(m.Type)), append(r.flags, int64(rows.FlagsOf(*d.Draft)))
	r.created, r.updated = append(r.created, int64(m.Created)), append(r.updated, int64(m.Updated))
	r.replies = append(r.replies, (*[16]byte)(tx.IDOrNull(m.ReplyTo)))
	r.mentions, r.attrs = append(r.mentions, text(d.mentions)), append(r.attrs, text(m.Attr))
	r.urls, r.texts = append(r.urls, m.URL), append(r.texts, m.Text)
	r.incarnations = append(r.incarnations, incarnation)
	if d.hash != nil {
		r.retries.add(conv, d.tag, m.Seq)
	}
	if len(d.uploads) > 0 {
		r.named = append(r.named, naming{tx.Thing{Kind: tx.ByMessage, Key: conv, Seq: m.Seq}, app, d.uploads})
	}
	for _, client := range tx.Mentioned(m.Body) {
		r.mentionConvs, r.mentionSeqs, r.mentioned = append(r.mentionConvs, conv), append(r.mentionSeqs, m.Seq), append(r.mentioned, client)
	}
}

// text is a column of text that holds bytes; nil: NULL.
func text(b []byte) *string {
	if b == nil {
		return nil
	}
	s := string(b)
	return &s
}

const (
	insertMessages = `INSERT INTO messages (conv_key, seq, id, sender, client_msg_id, content_hash, type, status, flags, created, updated,
			reply_to, mentions, url, attr, text, incarnation)
		SELECT conv_key, seq, id, sender, client_msg_id, content_hash, type, 1, flags, created, updated, reply_to, mentions, url, attr, body, incarnation
		FROM unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::bytea[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[],
			$11::uuid[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bigint[])
		w(conv_key, seq, id, sender, client_msg_id, content_hash, type, flags, created, updated, reply_to, mentions, url, attr, body, incarnation)`
	updateConversations = `UPDATE conversations c SET last_seq = w.last_seq, active = w.active, moved = $8, speaker = w.speaker, spoke = w.spoke,
			period = w.period, expires = w.expires
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
		w(conv_key, last_seq, active, speaker, spoke, period, expires)
		WHERE c.conv_key = w.conv_key`
	updateMembers = `UPDATE members m SET sent_seq = greatest(m.sent_seq, w.seq) FROM unnest($1::bigint[], $2::bigint[]) w(member_key, seq)
		WHERE m.member_key = w.member_key`
	insertMentions = `INSERT INTO mentions (conv_key, client_id, seq) SELECT conv_key, client_id, seq FROM unnest($1::bigint[], $2::text[], $3::bigint[]) w(conv_key, client_id, seq) ON CONFLICT DO NOTHING`
)

// insertRetries is the statement for each table of retries.
var insertRetries = [...]string{
	`INSERT INTO retries_0 (conv_key, tag, seq) SELECT conv_key, tag, seq FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) w(conv_key, tag, seq)`,
	`INSERT INTO retries_1 (conv_key, tag, seq) SELECT conv_key, tag, seq FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) w(conv_key, tag, seq)`,
	`INSERT INTO retries_2 (conv_key, tag, seq) SELECT conv_key, tag, seq FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) w(conv_key, tag, seq)`,
}

// write writes everything and commits, in one round trip. Errors: engine.ErrUnknownOutcome.
func (b *batch) write(ctx context.Context) error {
	if !b.c.conn.InTransaction() {
		return nil // no draft has a conversation
	}
	var q pgx.Batch
	b.queueRows(&q)
	if b.again && len(b.rows.ids) == 0 {
		// Only a transaction that writes waits for the synchronous standby. The message that
		// is answered again may not be there yet.
		q.Queue(`SELECT pg_logical_emit_message(true, 'skein', 'again')`)
	}
	return b.c.conn.Commit(ctx, &q)
}

func (b *batch) queueRows(q *pgx.Batch) {
	r := &b.rows
	if len(r.ids) == 0 {
		return
	}
	q.Queue(insertMessages, r.convs, r.seqs, r.ids, r.senders, r.clientMsgIDs, r.hashes, r.types, r.flags, r.created, r.updated,
		r.replies, r.mentions, r.urls, r.attrs, r.texts, r.incarnations)
	q.Queue(updateConversations, b.conversationRows()...)
	if len(b.behind) > 0 {
		keys, seqs := make([]int64, 0, len(b.behind)), make([]int64, 0, len(b.behind))
		for key, seq := range b.behind {
			keys, seqs = append(keys, key), append(seqs, seq)
		}
		q.Queue(updateMembers, keys, seqs)
	}
	if len(r.retries.tags) > 0 {
		q.Queue(insertRetries[b.table], r.retries.convs, r.retries.tags, r.retries.seqs)
	}
	if len(r.mentioned) > 0 {
		q.Queue(insertMentions, r.mentionConvs, r.mentioned, r.mentionSeqs)
	}
	for _, n := range r.named {
		q.Queue(tx.NameUploads, n.app, n.thing.Kind, n.thing.Key, n.thing.Seq, n.stems)
	}
	sql, args := b.tx.Batch()
	q.Queue(sql, args...)
}

// conversationRows are the arguments of updateConversations.
func (b *batch) conversationRows() []any {
	var columns [7][]int64
	for _, t := range b.lines {
		if !t.dirty {
			continue
		}
		for i, v := range [...]int64{t.key, t.lastSeq, int64(t.active), t.lastSender, t.lastSent, rows.PeriodOf(t.active), int64(t.expires)} {
			columns[i] = append(columns[i], v)
		}
	}
	args := make([]any, 0, len(columns)+1)
	for _, c := range columns {
		args = append(args, c)
	}
	return append(args, b.stamp)
}
