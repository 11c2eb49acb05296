package postgres_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres"
	"github.com/skein-im/skein/internal/store/storetest"
)

// Transactions of several writers commit in another order than they began in, some after
// readers have gone on, some never. Whoever follows the cursors knows what was committed in
// the end, by memory as by rows, and is told of nothing once that is told.
func TestReadersSkipNothingOfLateWriters(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := newLateWorld(t, seed)
			for step := range 250 {
				w.step(step)
			}
			for i := range w.open {
				w.end(i, i%2 == 0)
			}
			w.wantAll()
			for name, r := range w.readers {
				if told := r.follow(t); told != 0 {
					t.Errorf("%s is told again of %d conversations when nothing has moved", name, told)
				}
			}
		})
	}
}

// lateWorld is conversations of one client, which writers change in transactions that stay
// open for a while, and readers that follow.
type lateWorld struct {
	*testing.T

	random  *rand.Rand
	url     string
	open    [4]*lateWriter
	convs   []skein.ID
	truth   map[skein.ID]string // conv_extend, as committed
	readers map[string]*lateReader
}

// lateWriter is an open transaction.
type lateWriter struct {
	conn *pgx.Conn
	tx   pgx.Tx
	says map[skein.ID]string
}

// lateReader is a device that syncs at its own pace.
type lateReader struct {
	*postgres.Store

	forgets bool // its node's memory is always empty
	cursor  skein.SyncCursor
	knows   map[skein.ID]string
}

func newLateWorld(t *testing.T, seed uint64) *lateWorld {
	t.Helper()
	w := &lateWorld{T: t, url: server.Database(t), truth: map[skein.ID]string{}, readers: map[string]*lateReader{}}
	w.random = rand.New(rand.NewPCG(seed, 1))
	for name, forgets := range map[string]bool{"memory": false, "rows": true} {
		s := openWarm(t, w.url, storetest.Options{})
		w.readers[name] = &lateReader{Store: s, forgets: forgets, knows: map[skein.ID]string{}}
	}
	s := w.readers["memory"].Store
	w.must(s.CreateApp(t.Context(), skein.App{ID: "shop"}))
	_, _, err := s.CreateClient(t.Context(), skein.Client{App: "shop", ID: "ann"})
	w.must(err)
	for i := range 8 {
		c := skein.Conversation{App: "shop", ID: skein.ID{15: byte(i + 1)}, Type: skein.Group}
		_, _, err := s.CreateConversation(t.Context(), c, []skein.Member{{Client: "ann"}}, store.MemberLimit{})
		w.must(err)
		w.convs = append(w.convs, c.ID)
		w.truth[c.ID] = ""
	}
	for i := range w.open {
		conn, err := pgx.Connect(t.Context(), w.url)
		w.must(err)
		t.Cleanup(func() { w.must(conn.Close(context.Background())) })
		w.open[i] = &lateWriter{conn: conn}
	}
	return w
}

func (w *lateWorld) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// step does one thing: a writer writes or ends, or a reader reads a page.
func (w *lateWorld) step(n int) {
	w.Helper()
	switch what := w.random.IntN(10); {
	case what < 5:
		w.write(w.random.IntN(len(w.open)), fmt.Sprint(n))
	case what < 7:
		w.end(w.random.IntN(len(w.open)), w.random.IntN(4) > 0)
	default:
		for _, r := range w.readers {
			r.page(w.T)
		}
	}
}

// write lets a writer change a conversation that no other one has locked, as a committer does,
// sometimes in a savepoint that is rolled back.
func (w *lateWorld) write(i int, says string) {
	w.Helper()
	writer, conv := w.open[i], w.convs[w.random.IntN(len(w.convs))]
	for j, other := range w.open {
		if _, locked := other.says[conv]; locked && j != i {
			return
		}
	}
	ctx := w.Context()
	if writer.tx == nil {
		var err error
		writer.tx, err = writer.conn.Begin(ctx)
		w.must(err)
		writer.says = map[skein.ID]string{}
	}
	undone := w.random.IntN(5) == 0
	part, err := writer.tx.Begin(ctx) // a savepoint
	w.must(err)
	_, err = part.Exec(ctx, `SELECT pg_advisory_xact_lock(conv_key) FROM conversations WHERE id = $1`, conv)
	w.must(err)
	_, err = part.Exec(ctx, `UPDATE conversations SET extend = $2, moved = stamp() WHERE id = $1`, conv, says)
	w.must(err)
	_, err = part.Exec(ctx, `INSERT INTO events (xid, kind, at, app_id, conv_id) VALUES (stamp(), $1, 0, 'shop', $2)`, store.EntryConversationUpdated, conv)
	w.must(err)
	if undone {
		w.must(part.Rollback(ctx))
		return
	}
	w.must(part.Commit(ctx))
	writer.says[conv] = says
}

// end commits a writer's transaction, or rolls it back.
func (w *lateWorld) end(i int, commit bool) {
	w.Helper()
	writer := w.open[i]
	if writer.tx == nil {
		return
	}
	if commit {
		w.must(writer.tx.Commit(w.Context()))
		maps.Copy(w.truth, writer.says)
	} else {
		w.must(writer.tx.Rollback(w.Context()))
	}
	writer.tx, writer.says = nil, nil
}

// wantAll wants every reader to know what was committed, after it has followed to the end.
func (w *lateWorld) wantAll() {
	w.Helper()
	for name, r := range w.readers {
		r.follow(w.T)
		for _, conv := range w.convs {
			if got, want := r.knows[conv], w.truth[conv]; got != want {
				w.Errorf("by %s: conversation %s: the reader knows %q, committed was %q", name, conv, got, want)
			}
		}
	}
}

// follow ends the round under way and follows another. It returns how many conversations the
// second one told.
func (r *lateReader) follow(t *testing.T) (told int) {
	t.Helper()
	for range 2 {
		told = 0
		for done := false; !done; {
			page := r.page(t)
			told += len(page.Views)
			done = page.Done
		}
	}
	return told
}

func (r *lateReader) page(t *testing.T) skein.SyncPage {
	t.Helper()
	if r.forgets {
		r.ForgetMoves()
	}
	page, err := r.Sync(t.Context(), "shop", "ann", r.cursor, 3)
	if err != nil || page.Reset {
		t.Fatalf("got page %+v, error %v", page, err)
	}
	r.cursor = page.Next
	for _, v := range page.Views {
		r.knows[v.ID] = string(v.Extend)
	}
	return page
}

// A cursor that this history cannot have given out is of another one.
func TestACursorOfAnotherHistoryBeginsAnew(t *testing.T) {
	w := newLateWorld(t, 0)
	r := w.readers["memory"]
	r.follow(t)
	ahead, other := r.cursor, r.cursor
	ahead.Since += 1 << 40
	other.Epoch++
	for name, cursor := range map[string]skein.SyncCursor{"a later one": ahead, "of another epoch": other} {
		page, err := r.Sync(t.Context(), "shop", "ann", cursor, 3)
		if err != nil || !page.Reset {
			t.Errorf("%s: %+v: got page %+v, error %v, want a reset", name, cursor, page, err)
		}
	}
}

// wantNoticed wants every move of a conversation to be in the log of batches or of events:
// the nodes' memories read nothing else.
func wantNoticed(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := server.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT format('%s, type %s, deleted %s', c.id, c.type, c.deleted) FROM conversations c JOIN apps a USING (app_key)
		WHERE NOT EXISTS (SELECT FROM batches b WHERE b.xid = c.moved AND c.conv_key = ANY (b.conv_keys))
		AND NOT EXISTS (SELECT FROM events e WHERE e.xid = c.moved AND e.app_id = a.id AND e.conv_id = c.id)
		AND c.moved > (SELECT greatest(events_forgotten, batches_forgotten) FROM history) AND NOT a.deleted`)
	if err == nil {
		var unnoticed []string
		if unnoticed, err = pgx.CollectRows(rows, pgx.RowTo[string]); len(unnoticed) > 0 {
			t.Errorf("conversations moved unnoticed:\n%s", strings.Join(unnoticed, "\n"))
		}
	}
	if err != nil {
		t.Error(err)
	}
}
