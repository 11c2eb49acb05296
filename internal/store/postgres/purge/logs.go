package purge

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

const day = 24 * time.Hour

// The moments before which rows are forgotten.
func cutHorizon(now skein.Millis) skein.Millis       { return now.Add(-store.CutsKept) }
func eventHorizon(now skein.Millis) skein.Millis     { return now.Add(-store.EventDays * day) }
func departureHorizon(now skein.Millis) skein.Millis { return now.Add(-rows.DepartureDays * day) }

// batchHorizon moves once a day. A reader of the feed that begins anew reads old messages from
// table fed, and must come to its end before the rows of batches behind it are removed; so it
// has a day for that.
func batchHorizon(now skein.Millis) skein.Millis {
	before := eventHorizon(now)
	return before - before%skein.Millis(day.Milliseconds())
}

func (p *removal) forgetCuts(ctx context.Context) error {
	gone, err := p.Exec(ctx, `DELETE FROM cuts WHERE at < $1 AND cut_key IN (SELECT cut_key FROM cuts ORDER BY cut_key LIMIT $2)`, cutHorizon(p.now), p.left)
	p.left -= int(gone.RowsAffected())
	return err
}

// logRow is when a transaction wrote one of the logs.
type logRow struct {
	xid int64
	at  skein.Millis
}

// oldest are the first rows of a log, as far as they are older than a moment.
func (p *removal) oldest(ctx context.Context, sql string, horizon skein.Millis) ([]logRow, error) {
	found, err := p.Query(ctx, sql, p.left)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(found, func(r pgx.CollectableRow) (l logRow, err error) { return l, r.Scan(&l.xid, &l.at) })
	if young := slices.IndexFunc(list, func(l logRow) bool { return l.at >= horizon }); young >= 0 {
		list = list[:young]
	}
	return list, err
}

// forgetEvents removes the oldest events, all of a transaction or none, and notes up to
// where: a cursor from before that is refused.
func (p *removal) forgetEvents(ctx context.Context) error {
	old, err := p.oldest(ctx, `SELECT xid, at FROM events WHERE xid > (SELECT events_forgotten FROM history) AND xid < `+tx.Horizon+`
		ORDER BY xid, event_key LIMIT $1`, eventHorizon(p.now))
	if err != nil || len(old) == 0 {
		return err
	}
	last := old[len(old)-1].xid
	gone, err := p.Exec(ctx, `DELETE FROM events WHERE xid > (SELECT events_forgotten FROM history) AND xid <= $1`, last)
	if err != nil {
		return err
	}
	p.left -= int(gone.RowsAffected())
	_, err = p.Exec(ctx, `UPDATE history SET events_forgotten = greatest(events_forgotten, $1)`, last)
	return err
}

// forgetBatches removes the oldest rows of batches. Table fed keeps how far they went in each
// conversation, since the messages stay in the feed.
func (p *removal) forgetBatches(ctx context.Context) error {
	old, err := p.oldest(ctx, `SELECT xid, at FROM batches WHERE xid > (SELECT batches_forgotten FROM history) AND xid < `+tx.Horizon+`
		ORDER BY xid LIMIT $1`, batchHorizon(p.now))
	if err != nil || len(old) == 0 {
		return err
	}
	last := old[len(old)-1].xid
	_, err = p.Exec(ctx, `INSERT INTO fed AS f (conv_key, seq)
		SELECT u.conv, max(u.upto) FROM batches b, unnest(b.conv_keys, b.to_seq) u(conv, upto), conversations c
			WHERE c.conv_key = u.conv AND b.xid > (SELECT batches_forgotten FROM history) AND b.xid <= $1 AND u.upto > 0 GROUP BY u.conv ORDER BY u.conv
		ON CONFLICT (conv_key) DO UPDATE SET seq = greatest(f.seq, excluded.seq)`, last)
	if err != nil {
		return err
	}
	gone, err := p.Exec(ctx, `DELETE FROM batches WHERE xid > (SELECT batches_forgotten FROM history) AND xid <= $1`, last)
	if err != nil {
		return err
	}
	p.left -= int(gone.RowsAffected())
	_, err = p.Exec(ctx, `UPDATE history SET batches_forgotten = greatest(batches_forgotten, $1)`, last)
	return err
}

// forgetDepartures removes the oldest departures, and notes the newest stamp removed: a sync
// cursor from before that begins anew.
func (p *removal) forgetDepartures(ctx context.Context) error {
	var gone int
	err := p.QueryRow(ctx, `WITH gone AS (DELETE FROM departures WHERE ctid = ANY (ARRAY(
			SELECT ctid FROM departures WHERE at < $1 ORDER BY at LIMIT $2)) RETURNING moved),
		noted AS (UPDATE history SET forgotten = greatest(forgotten, (SELECT max(moved) FROM gone)))
		SELECT count(*) FROM gone`, departureHorizon(p.now), p.left).Scan(&gone)
	p.left -= gone
	return err
}

func (p *removal) forgetAttempts(ctx context.Context) error {
	gone, err := p.Exec(ctx, `DELETE FROM webhook_attempts WHERE ctid = ANY (ARRAY(SELECT ctid FROM webhook_attempts WHERE at < $1 ORDER BY at LIMIT $2))`,
		p.now.Add(-skein.AttemptsKept), p.left)
	p.left -= int(gone.RowsAffected())
	return err
}

func (p *removal) forgetFailures(ctx context.Context) error {
	gone, err := p.Exec(ctx, `DELETE FROM webhook_failures WHERE ctid = ANY (ARRAY(SELECT ctid FROM webhook_failures WHERE first < $1 ORDER BY first LIMIT $2))`,
		p.now.Add(-skein.DeadLettersKept), p.left)
	p.left -= int(gone.RowsAffected())
	return err
}

// usageHorizon is the day before which usage is forgotten.
func usageHorizon(now skein.Millis) skein.Day { return skein.DayOf(now) - skein.UsageDays }

func (p *removal) forgetUsage(ctx context.Context) error {
	gone, err := p.Exec(ctx, `DELETE FROM app_usage WHERE ctid = ANY (ARRAY(SELECT ctid FROM app_usage WHERE day < $1 ORDER BY day LIMIT $2))`,
		int64(usageHorizon(p.now)), p.left)
	p.left -= int(gone.RowsAffected())
	return err
}

func (p *removal) forgetKeyUses(ctx context.Context) error {
	gone, err := p.Exec(ctx, `DELETE FROM key_uses WHERE ctid = ANY (ARRAY(SELECT ctid FROM key_uses WHERE at < $1 ORDER BY at LIMIT $2))`,
		usageHorizon(p.now).Begin(), p.left)
	p.left -= int(gone.RowsAffected())
	return err
}

// retriesOver reports whether the table of retries at hand has had its time, or was begun by
// a clock that was set back since.
func retriesOver(since, now skein.Millis) bool {
	return now < since || now >= since.Add(store.RetryTime)
}

// retryTables is how many tables of retries take turns: one takes those of new messages, the
// one before it is looked at too, the third is empty.
const retryTables = 3

// lockWait bounds how long a truncation waits for whoever reads the table, such as a dump:
// sends wait behind it. The next purge tries again.
const lockWait = `SET LOCAL lock_timeout = '50ms'`

// turnRetries makes the next table of retries the current one, and empties the one that is
// looked at no more. If the clock was set back, the current table's time begins again.
func (p *removal) turnRetries(ctx context.Context) error {
	var table int
	var since skein.Millis
	if err := p.QueryRow(ctx, `SELECT retry_table, retry_since FROM history FOR UPDATE`).Scan(&table, &since); err != nil {
		return err
	}
	if !retriesOver(since, p.now) {
		return nil
	}
	if p.now >= since {
		unused := (table + retryTables - 1) % retryTables
		table = (table + 1) % retryTables
		if _, err := p.Exec(ctx, lockWait); err != nil {
			return err
		}
		if _, err := p.Exec(ctx, fmt.Sprintf(`TRUNCATE retries_%d`, unused)); err != nil {
			return err
		}
	}
	_, err := p.Exec(ctx, `UPDATE history SET retry_table = $1, retry_since = $2`, table, p.now)
	return err
}
