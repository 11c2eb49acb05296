package purge

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// deadConv is a conversation to remove, as it is under its lock.
type deadConv struct {
	key, lastSeq, changes int64
	event                 store.Entry
	appDeleted            bool
}

// conversation removes rows of a deleted or expired conversation, its own row last. An
// expired one is marked as deleted first, so that it stays gone if the clock is set back.
func (p *removal) conversation(ctx context.Context, key int64) error {
	if err := p.LockConversations(ctx, key); err != nil {
		return err
	}
	c := deadConv{key: key}
	var state int
	var expires skein.Millis
	err := p.QueryRow(ctx, `SELECT c.last_seq, c.last_change, c.deleted, c.expires, c.id, a.id, a.deleted
		FROM conversations c JOIN apps a ON a.app_key = c.app_key WHERE c.conv_key = $1`, key).
		Scan(&c.lastSeq, &c.changes, &state, &expires, &c.event.Conv, &c.event.App, &c.appDeleted)
	if err != nil {
		return unlessNoRows(err)
	}
	switch {
	case state == 1:
	case expires > p.now && !c.appDeleted:
		return nil // a message came meanwhile
	default:
		if err := p.end(ctx, c, state == 0); err != nil {
			return err
		}
	}
	return p.conversationRows(ctx, c)
}

// end marks a conversation as deleted. known: it was known until now, so the feed tells its
// end.
func (p *removal) end(ctx context.Context, c deadConv, known bool) error {
	if _, err := p.Exec(ctx, `UPDATE conversations SET deleted = 1, moved = `+tx.Stamp+` WHERE conv_key = $1`, c.key); err != nil {
		return err
	}
	p.Moved(c.key, 0, 0)
	if !known || c.appDeleted {
		return nil
	}
	c.event.Kind = store.EntryConversationDeleted
	return p.Event(ctx, c.event)
}

func (p *removal) conversationRows(ctx context.Context, c deadConv) error {
	if err := p.changes(ctx, c); err != nil || p.left <= 0 {
		return err
	}
	if err := p.messages(ctx, c); err != nil || p.left <= 0 {
		return err
	}
	if !c.appDeleted {
		if _, err := p.Exec(ctx, memberDepartures, c.key, p.left, p.now); err != nil {
			return err
		}
	}
	return p.remove(ctx, c.key,
		`DELETE FROM upload_uses WHERE kind = 2 AND thing_key = $1 AND $2::int > 0`,
		`DELETE FROM members WHERE member_key IN (`+firstMembers+`)`,
		`DELETE FROM sanctions WHERE ctid = ANY (ARRAY(SELECT ctid FROM sanctions WHERE conv_key = $1 LIMIT $2))`,
		`DELETE FROM private_pairs WHERE conv_key = $1 AND $2::int > 0`,
		`DELETE FROM fed WHERE conv_key = $1 AND $2::int > 0`,
		`DELETE FROM conversations WHERE conv_key = $1 AND $2::int > 0`)
}

// changes removes the newest lines of the log of changes, and notes how many are left: a scan
// for those that are left would step over all that were removed before, until the next vacuum.
func (p *removal) changes(ctx context.Context, c deadConv) error {
	for c.changes > 0 && p.left > 0 {
		from := max(0, c.changes-int64(p.left))
		if _, err := p.Exec(ctx, `DELETE FROM unknown_fields WHERE kind = 6 AND thing_key = $1 AND place > $2 AND place <= $3`, c.key, from, c.changes); err != nil {
			return err
		}
		if _, err := p.Exec(ctx, `DELETE FROM changes WHERE conv_key = $1 AND change_seq > $2 AND change_seq <= $3`, c.key, from, c.changes); err != nil {
			return err
		}
		if _, err := p.Exec(ctx, `UPDATE conversations SET last_change = $2 WHERE conv_key = $1`, c.key, from); err != nil {
			return err
		}
		p.left -= int(c.changes - from)
		c.changes = from
	}
	return nil
}

// messages removes the newest messages and what is beside them, in the same way. What is
// beside them goes first: one message may have many reactions or name many files.
func (p *removal) messages(ctx context.Context, c deadConv) error {
	for c.lastSeq > 0 && p.left > 0 {
		from := max(0, c.lastSeq-int64(p.left))
		for _, sql := range besideMessages {
			gone, err := p.Exec(ctx, sql, c.key, from, c.lastSeq, p.left)
			if err != nil {
				return err
			}
			if p.left -= int(gone.RowsAffected()); p.left <= 0 {
				return nil
			}
		}
		from = max(0, c.lastSeq-int64(p.left))
		if _, err := p.Exec(ctx, `DELETE FROM messages WHERE conv_key = $1 AND seq > $2 AND seq <= $3`, c.key, from, c.lastSeq); err != nil {
			return err
		}
		if _, err := p.Exec(ctx, `UPDATE conversations SET last_seq = $2 WHERE conv_key = $1`, c.key, from); err != nil {
			return err
		}
		p.left -= int(c.lastSeq - from)
		c.lastSeq = from
	}
	return nil
}

// besideMessages remove at most $4 rows about messages behind seq $2, up to $3.
var besideMessages = []string{
	beside(`mentions`, `true`, `conv_key`, `seq`),
	beside(`reactions`, `true`, `conv_key`, `seq`),
	beside(`hidden`, `true`, `conv_key`, `seq`),
	beside(`upload_uses`, `kind = 1`, `thing_key`, `seq`),
	beside(`unknown_fields`, `kind = 1`, `thing_key`, `place`),
}

func beside(table, where, conv, seq string) string {
	return `DELETE FROM ` + table + ` WHERE ctid = ANY (ARRAY(SELECT ctid FROM ` + table + ` WHERE ` + where +
		` AND ` + conv + ` = $1 AND ` + seq + ` > $2 AND ` + seq + ` <= $3 LIMIT $4))`
}

// memberDepartures turns the first $2 members of the deleted conversation $1 into departures.
// They get the stamp of its deletion, so a client that has synced the deletion does not get
// it again. A deleted app needs no departures, because nobody can sync there.
const memberDepartures = `INSERT INTO departures (app_key, client_id, conv_id, conv_key, moved, at)
	SELECT m.app_key, m.client_id, c.id, c.conv_key, c.moved, $3
	FROM members m JOIN conversations c ON c.conv_key = m.conv_key WHERE m.member_key IN (` + firstMembers + `)
	ON CONFLICT (app_key, client_id, conv_id) DO UPDATE SET conv_key = excluded.conv_key, moved = excluded.moved, at = excluded.at`

const firstMembers = `SELECT member_key FROM members WHERE conv_key = $1 AND member_key > 0 ORDER BY member_key LIMIT $2`
