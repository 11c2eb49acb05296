package sqlite

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// purgeRows bounds the rows that one Purge removes, and so how long other writes wait for
// it: about 10 ms.
const purgeRows = 500

// Purge removes rows that no other method can reach any more; see store.Upkeep.
func (s *Store) Purge(ctx context.Context, now skein.Millis) (more bool, err error) {
	return tx.Write(ctx, s.db, tx.Job{Bytes: tx.SmallJob, Rows: purgeRows}, func(g group) (bool, error) {
		p := purge{group: g, now: now, left: purgeRows}
		for p.left > 0 {
			remove, err := p.next()
			if err != nil || remove == nil {
				return false, err
			}
			if err := remove(); err != nil {
				return false, err
			}
		}
		remove, err := p.next()
		return remove != nil, err
	})
}

// purge is the work of one call of Purge.
type purge struct {
	group

	now  skein.Millis
	left int // rows that may still be removed
}

// aged are rows that are too old. forget removes some of them.
type aged struct {
	find   func() (bool, error)
	forget func() error
}

// next finds the first thing to remove and returns what removes some rows of it; nil:
// there is nothing. A deleted app's files go first, because the disk still holds them.
// Its conversations go before the app that they belong to. Rows that are too old go last.
func (p *purge) next() (remove func() error, err error) {
	for _, dead := range []struct {
		find   func() (key int64, found bool, err error)
		remove func(key int64) error
	}{
		{p.deadUploads, p.uploads},
		{p.deadConversation, p.conversation},
		{p.deadApp, p.app},
	} {
		key, found, err := dead.find()
		if err != nil {
			return nil, err
		}
		if found {
			return func() error { return dead.remove(key) }, nil
		}
	}
	for _, old := range []aged{
		{p.oldCuts, p.forgetCuts},
		{p.oldEvents, p.forgetEvents},
		{p.oldDepartures, p.forgetDepartures},
		{p.oldRetries, p.forgetRetries},
		p.olderThan("webhook_attempts", "webhook_id, seq", "at", int64(p.now.Add(-skein.AttemptsKept))),
		p.olderThan("webhook_failures", "webhook_id, seq", "first", int64(p.now.Add(-skein.DeadLettersKept))),
		p.olderThan("app_usage", "app_key, day", "day", int64(p.usageHorizon())),
		p.olderThan("key_uses", "app_key, name", "at", int64(p.usageHorizon().Begin())),
	} {
		found, err := old.find()
		if err != nil {
			return nil, err
		}
		if found {
			return old.forget, nil
		}
	}
	return nil, nil //nolint:nilnil // nil says that there is nothing to remove
}

func (p *purge) oldRetries() (bool, error) { return p.OldRetries(p.now) }

func (p *purge) forgetRetries() error {
	n, err := p.ForgetRetries(p.now, p.left)
	p.left -= n
	return err
}

// olderThan are the rows of a table with a column, which has an index, below a bound.
func (p *purge) olderThan(table, key, column string, bound int64) aged {
	old := ` FROM ` + table + ` WHERE ` + column + ` < ?1 LIMIT `
	return aged{
		func() (bool, error) { return p.Row(nil, `SELECT 1`+old+`1`, bound) },
		func() error {
			n, err := p.Changes(`DELETE FROM `+table+` WHERE (`+key+`) IN (SELECT `+key+old+`?2)`, bound, p.left)
			p.left -= int(n)
			return err
		},
	}
}

// usageHorizon is the day before which usage is forgotten.
func (p *purge) usageHorizon() skein.Day { return skein.DayOf(p.now) - skein.UsageDays }

func (p *purge) deadConversation() (key int64, found bool, err error) {
	read := func(r *sqlite3.Stmt) { key = r.ColumnInt64(0) }
	found, err = p.Row(read, `SELECT conv_key FROM conversations WHERE deleted = 1 LIMIT 1`)
	if err == nil && !found {
		found, err = p.Row(read, `SELECT conv_key FROM conversations WHERE expires <= ?1 AND expires < 9007199254740991 LIMIT 1`, p.now)
	}
	if err == nil && !found {
		found, err = p.Row(read, `SELECT conv_key FROM conversations WHERE deleted = 2 AND moved < ?1 LIMIT 1`, p.abandoned())
	}
	if err == nil && !found {
		found, err = p.Row(read, `SELECT c.conv_key FROM apps a CROSS JOIN conversations c ON c.app_key = a.app_key
			WHERE a.deleted = 1 AND c.deleted <> 1 LIMIT 1`)
	}
	return key, found, err
}

// abandoned is the stamp of the oldest import that may still continue.
func (p *purge) abandoned() int64 { return p.now.Time().AddDate(0, 0, -rows.ArrivalDays).UnixMicro() }

func (p *purge) deadUploads() (app int64, found bool, err error) {
	found, err = p.Row(func(r *sqlite3.Stmt) { app = r.ColumnInt64(0) },
		`SELECT u.app_key FROM apps a CROSS JOIN uploads u ON u.app_key = a.app_key WHERE a.deleted = 1 LIMIT 1`)
	return app, found, err
}

func (p *purge) deadApp() (key int64, found bool, err error) {
	found, err = p.Row(func(r *sqlite3.Stmt) { key = r.ColumnInt64(0) }, `SELECT app_key FROM apps WHERE deleted = 1 LIMIT 1`)
	return key, found, err
}

// conversation removes rows of a deleted or expired conversation, its own row last.
func (p *purge) conversation(key int64) error {
	err := p.keepMessageKey()
	if err == nil {
		err = p.expiredEvent(key)
	}
	if err != nil {
		return err
	}
	// Mark an expired conversation as deleted first, so that it stays gone if the clock is set back.
	expired, err := p.Move(`UPDATE conversations SET deleted = 1, moved = ?2 WHERE conv_key = ?1 AND deleted <> 1`+tx.ReturningMoves, key, p.Stamp)
	if err != nil {
		return err
	}
	if expired > 0 {
		p.Known.ForgetTimelines()
	}
	err = p.remove(key,
		`DELETE FROM mentions WHERE (conv_key, client_id, seq) IN (SELECT conv_key, client_id, seq FROM mentions WHERE conv_key = ?1 LIMIT ?2)`,
		`DELETE FROM unknown_fields WHERE (kind, thing_key, place) IN
			(SELECT kind, thing_key, place FROM unknown_fields WHERE kind = 6 AND thing_key = ?1 LIMIT ?2)`,
		`DELETE FROM changes WHERE (conv_key, change_seq) IN (SELECT conv_key, change_seq FROM changes WHERE conv_key = ?1 LIMIT ?2)`,
		`DELETE FROM reactions WHERE (conv_key, seq, emoji, client_id) IN (SELECT conv_key, seq, emoji, client_id FROM reactions WHERE conv_key = ?1 LIMIT ?2)`,
		`DELETE FROM hidden WHERE (conv_key, client_id, seq) IN (SELECT conv_key, client_id, seq FROM hidden WHERE conv_key = ?1 LIMIT ?2)`,
		`DELETE FROM upload_uses WHERE kind = 2 AND thing_key = ?1 AND ?2 > 0`,
		// Of the messages that go next, or a few more: one message may name hundreds of files.
		`DELETE FROM upload_uses WHERE (upload_key, kind, thing_key) IN (SELECT upload_key, kind, thing_key FROM upload_uses
			WHERE kind = 1 AND thing_key IN (SELECT message_key FROM messages WHERE conv_key = ?1 LIMIT ?2) LIMIT ?2)`,
		`DELETE FROM messages WHERE message_key IN (SELECT message_key FROM messages WHERE conv_key = ?1 LIMIT ?2)`)
	if err != nil || p.left <= 0 {
		return err
	}
	if err := p.Exec(memberDepartures, key, p.left); err != nil {
		return err
	}
	return p.remove(key,
		`DELETE FROM members WHERE member_key IN (`+firstMembers+`)`,
		`DELETE FROM sanctions WHERE (conv_key, client_id) IN (SELECT conv_key, client_id FROM sanctions WHERE conv_key = ?1 LIMIT ?2)`,
		`DELETE FROM private_pairs WHERE conv_key = ?1 AND ?2 > 0`,
		`DELETE FROM conversations WHERE conv_key = ?1 AND ?2 > 0`)
}

// expiredEvent adds the event of a temporary conversation that expired, before Purge marks
// it as deleted.
func (p *purge) expiredEvent(conv int64) error {
	e := store.Entry{Kind: store.EntryConversationDeleted}
	found, err := p.Row(func(r *sqlite3.Stmt) { e.App, e.Conv = r.ColumnText(0), engine.ID(r, 1) },
		`SELECT a.id, c.id FROM conversations c JOIN apps a ON a.app_key = c.app_key
			WHERE c.conv_key = ?1 AND c.deleted = 0 AND a.deleted = 0`, conv)
	if err != nil || !found {
		return err
	}
	return p.Event(e)
}

// uploads releases files of a deleted app, even those that something still names.
func (p *purge) uploads(app int64) error {
	return p.remove(app,
		`DELETE FROM upload_uses WHERE (upload_key, kind, thing_key) IN (SELECT upload_key, kind, thing_key FROM upload_uses
			WHERE upload_key IN (SELECT upload_key FROM uploads WHERE app_key = ?1 ORDER BY due LIMIT ?2) LIMIT ?2)`,
		`DELETE FROM uploads WHERE upload_key IN (SELECT upload_key FROM uploads WHERE app_key = ?1 ORDER BY due LIMIT ?2)`)
}

// app removes rows of a deleted app that has no conversations left, its own row last.
func (p *purge) app(key int64) error {
	return p.remove(key,
		`DELETE FROM clients WHERE client_key IN (SELECT client_key FROM clients WHERE app_key = ?1 LIMIT ?2)`,
		`DELETE FROM departures WHERE (app_key, client_id, conv_id) IN (SELECT app_key, client_id, conv_id FROM departures WHERE app_key = ?1 LIMIT ?2)`,
		`DELETE FROM cuts WHERE app_key = ?1 AND ?2 > 0`,
		`DELETE FROM erasures WHERE app_key = ?1 AND ?2 > 0`,
		`DELETE FROM storage WHERE app_key = ?1 AND ?2 > 0`,
		`DELETE FROM word_lists WHERE app_key = ?1 AND ?2 > 0`,
		`DELETE FROM app_usage WHERE app_key = ?1 AND ?2 > 0`,
		`DELETE FROM key_uses WHERE app_key = ?1 AND ?2 > 0`,
		`DELETE FROM apps WHERE app_key = ?1 AND ?2 > 0`)
}

// remove runs the deletes in order. Each removes at most ?2 rows about the key ?1; the next
// one begins when the one before has nothing left to remove.
func (p *purge) remove(key int64, deletes ...string) error {
	for _, sql := range deletes {
		n, err := p.Changes(sql, key, p.left)
		if err != nil {
			return err
		}
		p.left -= int(n)
		if p.left <= 0 {
			return nil
		}
	}
	return nil
}
