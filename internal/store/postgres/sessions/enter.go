package sessions

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/share"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/engine"
	rule "github.com/skein-im/skein/internal/store/sessions"
)

// Logins are committed in batches, one batch after the other, so that a burst of logins costs
// few transactions.

const (
	// placeBits is for how many logins of a batch a transaction id has room. A generation is
	// the id of its transaction, which was taken after the locks, and the place in the batch.
	// So of two logins of a client the later committed has the greater one.
	placeBits = 10
	maxBatch  = 512
	// gatherFor is how long a batch waits for more logins when the one before was not alone. A
	// transaction of one login costs nearly as much as one of twenty.
	gatherFor = 5 * time.Millisecond
	// enterLimit bounds the transaction of a batch.
	enterLimit = 30 * time.Second
)

// entry is a login on its way. The committer owns it until done is closed.
type entry struct {
	login   store.Login
	since   time.Time
	done    chan struct{}
	entered store.Entered
	err     error
}

// EnterSession adds a session; see store.Sessions.
func (s *Store) EnterSession(ctx context.Context, l store.Login) (store.Entered, error) {
	defer share.Pause(ctx).Resume()
	e := &entry{login: l, since: time.Now(), done: make(chan struct{})}
	select {
	case <-s.closing:
		return store.Entered{}, skein.ErrUnavailable
	default:
	}
	select {
	case s.logins <- e:
	case <-s.closing:
		return store.Entered{}, skein.ErrUnavailable
	case <-ctx.Done():
		return store.Entered{}, ctx.Err()
	}
	select {
	case <-e.done:
		return e.entered, e.err
	case <-ctx.Done():
		return store.Entered{}, ctx.Err()
	case <-s.ended: // it was queued while the committer ended
		select {
		case <-e.done:
			return e.entered, e.err
		default:
			return store.Entered{}, skein.ErrUnavailable
		}
	}
}

// commit is the committer.
func (s *Store) commit() {
	defer close(s.ended)
	defer s.conn.Close(context.Background())
	for busy := false; ; {
		batch := s.gather(busy)
		if len(batch) == 0 {
			return
		}
		busy = len(batch) > 1
		start := time.Now()
		s.metrics.Begin(len(batch), len(s.logins))
		for _, e := range batch {
			s.metrics.Waited(start.Sub(e.since))
		}
		ctx, cancel := context.WithTimeout(context.Background(), enterLimit)
		err := s.enter(ctx, batch)
		cancel()
		s.metrics.Done(time.Since(start), err)
		for _, e := range batch {
			if err != nil {
				e.entered, e.err = store.Entered{}, err
			}
			close(e.done)
		}
	}
}

// gather waits for a login and takes what else waits. None: the store is closing and all
// that it took is done.
func (s *Store) gather(busy bool) (batch []*entry) {
	select {
	case e := <-s.logins:
		batch = append(batch, e)
	case <-s.closing:
		select {
		case e := <-s.logins:
			batch = append(batch, e)
		default:
			return nil
		}
	}
	if busy && len(s.logins) < maxBatch-1 {
		time.Sleep(gatherFor)
	}
	for len(batch) < maxBatch {
		select {
		case e := <-s.logins:
			batch = append(batch, e)
		default:
			return batch
		}
	}
	return batch
}

// enter runs the transaction of a batch.
func (s *Store) enter(ctx context.Context, entries []*entry) error {
	var err error
	for range 2 { // the connection may have been lost while nobody used it
		err = s.db.Again(ctx, "log in", func() error { return s.try(ctx, entries) })
		if !engine.Outage(err) || errors.Is(err, engine.ErrUnknownOutcome) {
			break
		}
	}
	return err
}

// try runs the transaction once.
func (s *Store) try(ctx context.Context, entries []*entry) error {
	defer s.conn.Recover(ctx)
	b := &batch{of: make(map[client][]*row), held: make(map[string]bool)}
	if err := s.conn.Begin(ctx, func(q *pgx.Batch) { b.read(q, entries) }); err != nil {
		return err
	}
	b.snapshot = bounded(b.snapshot)
	for place, e := range entries {
		e.entered, e.err = b.enter(e.login, b.first+int64(place))
	}
	var q pgx.Batch
	b.write(&q)
	return s.conn.Commit(ctx, &q)
}

// batch is the sessions of the clients that log in, as they become by one login after the
// other.
type batch struct {
	of    map[client][]*row // those that are there
	held  map[string]bool   // nodes with a lease
	first int64             // the generation for the first place
	dirty []*row

	snapshot skein.Snapshot
}

// row is a row of table sessions.
type row struct {
	store.Session

	displaced *string
	dirty     bool
}

// read queues the locks and what decides.
func (b *batch) read(q *pgx.Batch, entries []*entry) {
	nodes := make(map[string]bool)
	for _, e := range entries {
		b.of[client{e.login.App, e.login.Client}] = nil
		nodes[e.login.Node] = true
	}
	clients := slices.Collect(maps.Keys(b.of))
	apps, ids := columns(clients)
	lock(q, clients)
	q.Queue(`SELECT `+sessionColumns+` FROM unnest($1::text[], $2::text[]) u(app, client_id) JOIN sessions s USING (app, client_id) WHERE displaced IS NULL`, apps, ids).
		Query(func(rows pgx.Rows) error {
			for rows.Next() {
				r := new(row)
				if err := readSession(rows, &r.Session); err != nil {
					return err
				}
				who := client{r.App, r.Client}
				b.of[who] = append(b.of[who], r)
			}
			return rows.Err()
		})
	// Shared with other logins, not with ExpireNodes: a node that is expired meanwhile gets no
	// session that nobody would take out.
	q.Queue(`SELECT node FROM nodes WHERE node = ANY($1) AND NOT gone ORDER BY node FOR SHARE`, slices.Collect(maps.Keys(nodes))).
		Query(func(rows pgx.Rows) error {
			for rows.Next() {
				var node string
				if err := rows.Scan(&node); err != nil {
					return err
				}
				b.held[node] = true
			}
			return rows.Err()
		})
	q.Queue(`SELECT (generation_base + base + pg_current_xact_id()::text::bigint) << $1::int, base + pg_snapshot_xmax(s)::text::bigint,
		ARRAY(SELECT base + x::text::bigint FROM pg_snapshot_xip(s) x) FROM history, pg_current_snapshot() s`, placeBits).
		QueryRow(func(r pgx.Row) error { return r.Scan(&b.first, &b.snapshot.Next, &b.snapshot.Open) })
}

// maxOpen bounds the open transactions that each session keeps in its snapshot.
const maxOpen = 64

// bounded is a snapshot with at most maxOpen open transactions: it may lack commits that could
// be read, and then the session gets some that it has read live too.
func bounded(s skein.Snapshot) skein.Snapshot {
	if len(s.Open) > maxOpen {
		return skein.Snapshot{Next: slices.Min(s.Open)}
	}
	return s
}

// enter lets one login in. next is the generation that a new one gets.
func (b *batch) enter(l store.Login, next int64) (store.Entered, error) {
	if !b.held[l.Node] {
		return store.Entered{}, store.ErrNoLease
	}
	who := client{l.App, l.Client}
	rule.Date(&l.Session, next-1, next)
	displaced, err := rule.Displace(func(yield func(*store.Session) bool) {
		for _, r := range b.of[who] {
			if !yield(&r.Session) {
				return
			}
		}
	}, l)
	if err != nil {
		return store.Entered{}, err
	}
	entered := &row{Session: l.Session}
	b.of[who] = slices.DeleteFunc(b.of[who], func(r *row) bool {
		if r.ID == l.ID && r.Node == l.Node { // it enters again
			entered = r
			return true
		}
		i := slices.IndexFunc(displaced, func(d store.Displaced) bool { return d.ID == r.ID && d.Node == r.Node })
		if i < 0 {
			return false
		}
		r.displaced = &displaced[i].Reason
		b.touch(r)
		return true
	})
	entered.Session = l.Session
	b.touch(entered)
	b.of[who] = append(b.of[who], entered)
	return store.Entered{Generation: l.Generation, Displaced: displaced, Snapshot: b.snapshot}, nil
}

func (b *batch) touch(r *row) {
	if !r.dirty {
		r.dirty = true
		b.dirty = append(b.dirty, r)
	}
}

// write queues the statement that stores the rows that changed.
func (b *batch) write(q *pgx.Batch) {
	if len(b.dirty) == 0 {
		return
	}
	var (
		apps, clients, devices, ids, nodes []string
		types                              []int16
		generations                        []int64
		resumed                            []bool
		displaced                          []*string
	)
	for _, r := range b.dirty {
		apps, clients, devices = append(apps, r.App), append(clients, r.Client), append(devices, r.Device)
		ids, nodes, types = append(ids, r.ID), append(nodes, r.Node), append(types, int16(r.DeviceType))
		generations, resumed, displaced = append(generations, r.Generation), append(resumed, r.Resumed), append(displaced, r.displaced)
	}
	q.Queue(`INSERT INTO sessions (app, client_id, device_id, device_type, session_id, node, generation, resumed, displaced)
		SELECT app, client, device, type, id, node, generation, resumed, displaced FROM unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::text[], $6::text[], $7::bigint[], $8::boolean[], $9::text[])
			u(app, client, device, type, id, node, generation, resumed, displaced)
		ON CONFLICT (app, client_id, session_id, node) DO UPDATE SET device_id = excluded.device_id, device_type = excluded.device_type,
			generation = excluded.generation, resumed = excluded.resumed, displaced = excluded.displaced`,
		apps, clients, devices, types, ids, nodes, generations, resumed, displaced)
}
