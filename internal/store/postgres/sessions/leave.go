package sessions

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein/internal/store"
)

// leaveRows bounds the sessions that one transaction takes out, and so its locks.
const leaveRows = 500

// LeaveSessions takes sessions out; see store.Sessions.
func (s *Store) LeaveSessions(ctx context.Context, sessions []store.Session) (left []store.Departure, err error) {
	for some := range slices.Chunk(sessions, leaveRows) {
		var gone []store.Departure
		err := s.db.Write(ctx, "", func(ctx context.Context, t pgx.Tx) (err error) {
			gone, err = s.leave(ctx, t, some)
			return err
		}, nil)
		if err != nil {
			return left, err
		}
		left = append(left, gone...)
	}
	return left, nil
}

func (s *Store) leave(ctx context.Context, t pgx.Tx, some []store.Session) ([]store.Departure, error) {
	clients := clientsOf(some)
	var apps, ids, sessionIDs []string
	for _, one := range some {
		apps, ids, sessionIDs = append(apps, one.App), append(ids, one.Client), append(sessionIDs, one.ID)
	}
	wasThere, held, others := make([]bool, len(some)), make([]bool, len(some)), make(map[client]bool)
	mark := func(marks []bool) func(pgx.Rows) error {
		return func(rows pgx.Rows) error {
			for rows.Next() {
				var place int
				var there bool
				if err := rows.Scan(&place, &there); err != nil {
					return err
				}
				marks[place-1] = marks[place-1] || there
			}
			return rows.Err()
		}
	}
	const named = `unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY u(app, client_id, session_id, place)
		WHERE s.app = u.app AND s.client_id = u.client_id AND s.session_id = u.session_id`
	q := new(pgx.Batch)
	lock(q, clients)
	// While the nodes fill the tables again, nobody knows whether a client has other sessions:
	// ExpireNodes answers these sessions later; see RenewNode.
	q.Queue(`UPDATE sessions s SET node = '', displaced = '' FROM `+named+` AND s.displaced IS NULL AND (SELECT until FROM refill) >= clock($4)
		RETURNING u.place, true`, apps, ids, sessionIDs, s.clock()).Query(mark(held))
	q.Queue(`DELETE FROM sessions s USING `+named+` AND s.node <> '' RETURNING u.place, s.displaced IS NULL`, apps, ids, sessionIDs).Query(mark(wasThere))
	remaining(q, clients, others)
	if err := t.SendBatch(ctx, q).Close(); err != nil {
		return nil, err
	}
	var left []store.Departure
	for i, one := range some {
		if wasThere[i] || held[i] {
			left = append(left, store.Departure{Session: one})
		}
	}
	markLast(left, others, func(d *store.Departure) bool {
		return !held[slices.IndexFunc(some, func(one store.Session) bool { return one.ID == d.ID && one.Node == d.Node })]
	})
	return left, nil
}

// clientsOf are the clients of sessions, each once.
func clientsOf(sessions []store.Session) (clients []client) {
	known := make(map[client]bool, len(sessions))
	for _, s := range sessions {
		who := client{s.App, s.Client}
		if !known[who] {
			known[who] = true
			clients = append(clients, who)
		}
	}
	return clients
}

// remaining asks which of the clients have a session now.
func remaining(q *pgx.Batch, clients []client, have map[client]bool) {
	apps, ids := columns(clients)
	q.Queue(`SELECT app, client_id FROM unnest($1::text[], $2::text[]) u(app, client_id)
		WHERE EXISTS (SELECT 1 FROM sessions s WHERE s.app = u.app AND s.client_id = u.client_id AND s.displaced IS NULL)`, apps, ids).
		Query(func(rows pgx.Rows) error {
			for rows.Next() {
				var who client
				if err := rows.Scan(&who.app, &who.id); err != nil {
					return err
				}
				have[who] = true
			}
			return rows.Err()
		})
}

// markLast marks the last departure of each client that has no session any more, where known
// says that this is certain.
func markLast(left []store.Departure, have map[client]bool, known func(*store.Departure) bool) {
	done := make(map[client]bool)
	for i := range slices.Backward(left) {
		d := &left[i]
		who := client{d.App, d.Client}
		if !done[who] {
			done[who] = true
			d.Last = !have[who] && known(d)
		}
	}
}
