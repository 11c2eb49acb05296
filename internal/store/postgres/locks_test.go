package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/storetest"
)

// Another node has the lock of a conversation and has read its row, but has not written yet and
// has no stamp. Whoever moves a log of the conversation meanwhile waits for the lock, then takes
// the next number, and only then its stamp: stamps that ascend with the numbers are what the
// feed and the cursors of sync rely on.
func TestWhoMovesALogWaitsForTheConversationAndThenTakesItsStamp(t *testing.T) {
	for name, move := range map[string]func(context.Context, store.Store, skein.Message) (number int64, err error){
		"a send": func(ctx context.Context, s store.Store, m skein.Message) (int64, error) {
			m.ID = skein.ID(uuid.Must(uuid.NewV7()))
			m, _, err := s.Append(ctx, skein.Draft{App: "app", Need: skein.NeedMember, Message: m})
			return m.Seq, err
		},
		"an edit": func(ctx context.Context, s store.Store, m skein.Message) (int64, error) {
			c, err := s.ChangeMessage(ctx, "app", m.Conv, m.ID, store.Needs("ann", skein.NeedClient), "", func(skein.MessageState) (skein.Change, error) {
				return skein.Change{Kind: skein.ChangeEdit, By: "ann", At: 3, Message: skein.Message{Body: skein.Body{Type: skein.TypeText, Text: "edited"}}}, nil
			})
			return c.Seq, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := openPair(t, storetest.Options{})
			ctx := t.Context()
			m := skein.Message{
				ID: skein.ID(uuid.Must(uuid.NewV7())), Conv: newGroup(t, p.nodes[0]), Sender: "ann", Created: 2,
				Body: skein.Body{Type: skein.TypeText, Text: "hello"},
			}
			_, _, err := p.nodes[0].Append(ctx, skein.Draft{App: "app", Need: skein.NeedMember, Message: m})
			p.must(err)

			other, err := p.raw().Begin(ctx)
			p.must(err)
			_, err = other.Exec(ctx, `SELECT pg_advisory_xact_lock(conv_key) FROM conversations WHERE id = $1`, m.Conv)
			p.must(err)
			type answer struct {
				number int64
				err    error
			}
			answered := make(chan answer, 1)
			go func() {
				number, err := move(ctx, p.nodes[0], m)
				for errors.Is(err, skein.ErrUnavailable) { // this machine is so busy that it has waited too long
					number, err = move(ctx, p.nodes[0], m)
				}
				answered <- answer{number, err}
			}()
			for watcher, waits := p.raw(), false; !waits; {
				select {
				case got := <-answered:
					t.Fatalf("answered with number %d, error %v, while another node had the lock", got.number, got.err)
				case <-time.After(time.Millisecond):
				}
				p.must(watcher.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_stat_activity
					WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'advisory')`).Scan(&waits))
			}
			const taken = 100
			var last int64
			p.must(other.QueryRow(ctx, `UPDATE conversations SET last_seq = $2, last_change = $2, moved = stamp() WHERE id = $1 RETURNING moved`,
				m.Conv, taken).Scan(&last))
			p.must(other.Commit(ctx))
			got := <-answered
			if got.err != nil || got.number != taken+1 {
				t.Errorf("got number %d, error %v, want %d: the other node took those before", got.number, got.err, taken+1)
			}
			var stamp int64
			p.must(p.raw().QueryRow(ctx, `SELECT moved FROM conversations WHERE id = $1`, m.Conv).Scan(&stamp))
			if stamp <= last {
				t.Errorf("got stamp %d, want one above %d, that of the node which had the lock before", stamp, last)
			}
		})
	}
}
