package sessions

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/engine"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// The table refill has one row, which is lost with the sessions: whoever finds that it is not
// there knows that they were lost. A node cannot enter a session before it has renewed its
// lease, whose row is lost too, and the first that does so writes the row of refill (tx.Refill).

// RenewNode extends the lease of a node; see store.Sessions.
func (s *Store) RenewNode(ctx context.Context, node string, lease time.Duration) (displaced []store.Displaced, held bool, err error) {
	err = s.db.Each(ctx, "", func(ctx context.Context, c engine.Conn) error {
		q := new(pgx.Batch)
		displaced, held = nil, false
		q.Queue(`UPDATE nodes SET until = clock($2) + $3 WHERE node = $1 AND NOT gone RETURNING true`, node, s.clock(), lease.Milliseconds()).
			Query(func(rows pgx.Rows) error {
				held = rows.Next()
				rows.Close()
				return rows.Err()
			})
		q.Queue(`SELECT `+sessionColumns+`, displaced FROM sessions s WHERE node = $1 AND displaced IS NOT NULL`, node).
			Query(func(rows pgx.Rows) error {
				for rows.Next() {
					var d store.Displaced
					if err := readSession(rows, &d.Session, &d.Reason); err != nil {
						return err
					}
					displaced = append(displaced, d)
				}
				return rows.Err()
			})
		return c.SendBatch(ctx, q).Close()
	})
	if err != nil || held {
		return displaced, held, err
	}
	return displaced, false, s.db.Write(ctx, "", func(ctx context.Context, t pgx.Tx) error { return s.addNode(ctx, t, node, lease) }, nil)
}

// addNode gives a lease to a node that had none. Where the tables were emptied, nobody is said
// to have ended its last session until each node has had the time to enter its own again.
func (s *Store) addNode(ctx context.Context, t pgx.Tx, node string, lease time.Duration) error {
	if err := tx.Refill(ctx, t, s.clock(), lease); err != nil {
		return err
	}
	_, err := t.Exec(ctx, `INSERT INTO nodes (node, until) VALUES ($1, clock($2) + $3)
		ON CONFLICT (node) DO UPDATE SET until = excluded.until, gone = false`, node, s.clock(), lease.Milliseconds())
	return err
}

// CountNodes counts nodes by their leases; see store.Sessions.
func (s *Store) CountNodes(ctx context.Context, ahead time.Duration) (count int, err error) {
	err = s.db.Each(ctx, "", func(ctx context.Context, c engine.Conn) error {
		return c.QueryRow(ctx, `SELECT count(*) FROM nodes WHERE NOT gone AND until > clock($1) + $2`, s.clock(), ahead.Milliseconds()).Scan(&count)
	})
	return count, err
}

// ExpireNodes takes out the sessions of nodes whose lease has ended; see store.Sessions. It
// marks the nodes first, so that none of them enters a session from then on, and then takes
// out some sessions in each transaction, so that the locks of their clients are few.
func (s *Store) ExpireNodes(ctx context.Context) (left []store.Departure, err error) {
	due := false
	err = s.db.Each(ctx, "", func(ctx context.Context, c engine.Conn) error {
		return c.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM nodes WHERE gone OR until < clock($1))
			OR EXISTS (SELECT 1 FROM sessions WHERE node = '') AND (SELECT until FROM refill) < clock($1)`, s.clock()).Scan(&due)
	})
	if err != nil || !due {
		return nil, err
	}
	err = s.db.Write(ctx, "", func(ctx context.Context, t pgx.Tx) error {
		_, err := t.Exec(ctx, `UPDATE nodes SET gone = true WHERE node IN
			(SELECT node FROM nodes WHERE until < clock($1) AND NOT gone ORDER BY node FOR UPDATE)`, s.clock())
		return err
	}, nil)
	for more := true; more && err == nil; {
		var gone []store.Departure
		if gone, more, err = s.expireSome(ctx); err == nil {
			left = append(left, gone...)
		}
	}
	if len(left) > 0 {
		return left, nil // after an error the next call takes out the others
	}
	return nil, err
}

// theirs are the sessions that ExpireNodes takes out at $1.
const theirs = `(s.node IN (SELECT node FROM nodes WHERE gone) OR s.node = '' AND (SELECT until FROM refill) < clock($1))`

// expireSome takes out some sessions of nodes that are gone, and the nodes where none is left.
func (s *Store) expireSome(ctx context.Context) (left []store.Departure, more bool, err error) {
	var some []store.Session
	err = s.db.Each(ctx, "", func(ctx context.Context, c engine.Conn) error {
		rows, err := c.Query(ctx, `SELECT `+sessionColumns+` FROM sessions s WHERE `+theirs+` LIMIT $2`, s.clock(), leaveRows)
		if err != nil {
			return err
		}
		some, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (one store.Session, err error) { return one, readSession(r, &one) })
		return err
	})
	if err != nil {
		return nil, false, err
	}
	err = s.db.Write(ctx, "", func(ctx context.Context, t pgx.Tx) (err error) {
		left, err = s.takeOut(ctx, t, some)
		return err
	}, nil)
	return left, len(some) == leaveRows, err
}

func (s *Store) takeOut(ctx context.Context, t pgx.Tx, some []store.Session) (left []store.Departure, err error) {
	clients, others := clientsOf(some), make(map[client]bool)
	var apps, ids, sessionIDs []string
	for _, one := range some {
		apps, ids, sessionIDs = append(apps, one.App), append(ids, one.Client), append(sessionIDs, one.ID)
	}
	q := new(pgx.Batch)
	lock(q, clients)
	q.Queue(`DELETE FROM sessions s USING unnest($2::text[], $3::text[], $4::text[]) u(app, client_id, session_id)
		WHERE s.app = u.app AND s.client_id = u.client_id AND s.session_id = u.session_id AND `+theirs+`
		RETURNING `+sessionColumns+`, coalesce(s.displaced, '') = ''`, s.clock(), apps, ids, sessionIDs).
		Query(func(rows pgx.Rows) error {
			for rows.Next() {
				var d store.Departure
				var there bool
				if err := readSession(rows, &d.Session, &there); err != nil {
					return err
				}
				if there {
					left = append(left, d)
				}
			}
			return rows.Err()
		})
	remaining(q, clients, others)
	q.Queue(`DELETE FROM nodes n WHERE gone AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.node = n.node)`)
	if err := t.SendBatch(ctx, q).Close(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(left, func(a, b store.Departure) int { return cmp.Compare(b.Generation, a.Generation) }) // the oldest is the last
	markLast(left, others, func(*store.Departure) bool { return true })
	return left, nil
}
