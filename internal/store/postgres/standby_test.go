package postgres_test

import (
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/pgtest"
	"github.com/skein-im/skein/internal/store/storetest"
)

// A commit whose wait for the synchronous standby is cancelled is there, but may go with the
// primary. PostgreSQL answers it with success and a warning. Neither the send nor its retry on
// another node may be answered before the standby has the message.
func TestNoMessageIsAnsweredBeforeTheStandbyHasIt(t *testing.T) {
	pair := pgtest.StartPair(t)
	opt := storetest.Options{}
	first, second := openOne(t, pair.URL, opt), openOne(t, pair.URL, opt)
	conv := newGroup(t, first)
	draft := func() skein.Draft {
		return skein.Draft{App: "app", Need: skein.NeedMember, Message: skein.Message{
			ID: skein.ID(uuid.Must(uuid.NewV7())), Conv: conv, Sender: "ann", ClientMsgID: "once", Created: 2,
			Body: skein.Body{Type: skein.TypeText, Text: "hello"},
		}}
	}

	pair.StopStandby(t)
	var running sync.WaitGroup
	answered := make(chan skein.Message, 2)
	for _, s := range []store.Store{first, second} {
		running.Go(func() {
			m, _, err := s.Append(t.Context(), draft())
			if err != nil {
				t.Error(err)
			}
			answered <- m
		})
	}
	// After each of these the message is there already, and each try waits for the standby anew.
	for range 6 {
		pair.CancelWait(t)
		select {
		case m := <-answered:
			t.Fatalf("answered with seq %d before the standby had it", m.Seq)
		default:
		}
	}
	pair.ResumeStandby(t)
	running.Wait()
	for range 2 {
		if m := <-answered; m.Seq != 1 {
			t.Errorf("got seq %d, want 1", m.Seq)
		}
	}
	all, err := first.Messages(t.Context(), "app", conv, skein.SeqRange{Limit: 10})
	if err != nil || len(all) != 1 {
		t.Errorf("got %d messages (%v), want the one", len(all), err)
	}
}

// newGroup makes the app "app", the client "ann" and a group of hers.
func newGroup(t *testing.T, s store.Store) skein.ID {
	t.Helper()
	if err := s.CreateApp(t.Context(), skein.App{ID: "app"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.CreateClient(t.Context(), skein.Client{App: "app", ID: "ann"}); err != nil {
		t.Fatal(err)
	}
	c := skein.Conversation{App: "app", ID: skein.ID(uuid.New()), Type: skein.Group, Created: 1}
	if _, _, err := s.CreateConversation(t.Context(), c, []skein.Member{{Client: "ann"}}, store.MemberLimit{}); err != nil {
		t.Fatal(err)
	}
	return c.ID
}
