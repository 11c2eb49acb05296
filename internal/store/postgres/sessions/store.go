// Package sessions keeps who is logged in on all nodes, in unlogged tables of PostgreSQL. A
// crash of PostgreSQL or a change of its primary empties them; then every node enters its
// sessions again. The rule of who must go for a login is that of store/sessions.
package sessions

import (
	"context"
	"hash/fnv"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/engine"
)

// Store implements store.Sessions. Safe for concurrent use.
type Store struct {
	db    *engine.Engine
	clock func() *int64

	conn    *engine.Dedicated // owned by commit
	metrics engine.CommitMetrics
	logins  chan *entry   // to the committer
	closing chan struct{} // closed when Close begins
	closed  sync.Once
	ended   chan struct{} // closed when the committer has ended
}

var _ store.Sessions = (*Store)(nil)

// maxWaiting bounds the logins that wait for the committer. More wait for a place.
const maxWaiting = 4096

// New starts the committer of logins; Close ends it. clock answers the milliseconds by which
// leases end; where it answers nil the database's clock does.
func New(db *engine.Engine, clock func() *int64) *Store {
	s := &Store{db: db, clock: clock, conn: db.Dedicate(engine.ByIndex), metrics: db.Metrics.Logins, logins: make(chan *entry, maxWaiting), closing: make(chan struct{}), ended: make(chan struct{})}
	go s.commit()
	return s
}

// Close waits for the logins that were taken. Later ones return ErrUnavailable.
func (s *Store) Close() {
	s.closed.Do(func() { close(s.closing) })
	<-s.ended
}

// client is a client of an app.
type client struct{ app, id string }

// lockClass is the first number of the advisory locks of clients' sessions. Locks of one
// number are conversations'.
const lockClass = 1936418154

// lock takes the locks of clients until the transaction ends, in one order, so that no two
// transactions wait for each other. Everything that adds or removes sessions takes them
// first: what it then reads of a client nobody else changes. It must be a statement of its own,
// since a statement reads what was committed before it began.
func lock(b *pgx.Batch, clients []client) {
	keys := make([]int32, len(clients))
	for i, c := range clients {
		h := fnv.New32a()
		_, _ = h.Write([]byte(c.app + "\xff" + c.id))
		keys[i] = int32(h.Sum32())
	}
	slices.Sort(keys)
	b.Queue(`SELECT count(pg_advisory_xact_lock($1, k)) FROM unnest($2::int4[]) k`, int32(lockClass), slices.Compact(keys))
}

// columns of the clients, for unnest.
func columns(clients []client) (apps, ids []string) {
	for _, c := range clients {
		apps, ids = append(apps, c.app), append(ids, c.id)
	}
	return apps, ids
}

// sessionColumns are what readSession reads.
const sessionColumns = `s.app, s.client_id, s.device_id, s.device_type, s.session_id, s.node, s.generation, s.resumed`

func readSession(r pgx.Row, s *store.Session, more ...any) error {
	return r.Scan(append([]any{&s.App, &s.Client, &s.Device, &s.DeviceType, &s.ID, &s.Node, &s.Generation, &s.Resumed}, more...)...)
}

// SessionsOf lists sessions; see store.Sessions.
func (s *Store) SessionsOf(ctx context.Context, app string, clients []string) (all []store.Session, err error) {
	err = s.db.Each(ctx, app, func(ctx context.Context, c engine.Conn) error {
		rows, err := c.Query(ctx, `SELECT `+sessionColumns+` FROM sessions s WHERE app = $1 AND client_id = ANY($2) AND displaced IS NULL`, app, clients)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (one store.Session, err error) { return one, readSession(r, &one) })
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}
