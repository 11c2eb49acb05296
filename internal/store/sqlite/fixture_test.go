package sqlite

import (
	"runtime"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/sqlitetest"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// newStore opens a store on a new file, with the app "app".
func newStore(t *testing.T, opt Options) *Store {
	t.Helper()
	if opt.Path == "" {
		opt.Path = sqlitetest.File(t)
	}
	s := openStore(t, opt)
	if err := s.CreateApp(t.Context(), skein.App{ID: "app"}); err != nil {
		t.Fatal(err)
	}
	return s
}

func openStore(t *testing.T, opt Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// newGroup creates the client "ann" and a group of hers.
func newGroup(t *testing.T, s *Store) skein.ID {
	t.Helper()
	if _, _, err := s.CreateClient(t.Context(), skein.Client{App: "app", ID: "ann"}); err != nil {
		t.Fatal(err)
	}
	c := skein.Conversation{App: "app", ID: skein.ID(uuid.New()), Type: skein.Group, Created: 1}
	if _, _, err := s.CreateConversation(t.Context(), c, []skein.Member{{Client: "ann"}}, store.MemberLimit{}); err != nil {
		t.Fatal(err)
	}
	return c.ID
}

func newDraft(conv skein.ID, text string) skein.Draft {
	return skein.Draft{App: "app", Need: skein.NeedMember, Message: skein.Message{
		ID: skein.ID(uuid.Must(uuid.NewV7())), Conv: conv, Sender: "ann", Created: 2,
		Body: skein.Body{Type: skein.TypeText, Text: text},
	}}
}

// seqs are the stored seqs of a conversation.
func seqs(t *testing.T, s *Store, conv skein.ID) (seqs []int64) {
	t.Helper()
	all, err := s.Messages(t.Context(), "app", conv, skein.SeqRange{Limit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		seqs = append(seqs, m.Seq)
	}
	return seqs
}

// wantDense wants the seqs 1 to n.
func wantDense(t *testing.T, s *Store, conv skein.ID, n int) {
	t.Helper()
	got := seqs(t, s, conv)
	for i, seq := range got {
		if seq != int64(i+1) {
			t.Fatalf("got seqs %v", got)
		}
	}
	if len(got) != n {
		t.Fatalf("got %d messages, want %d", len(got), n)
	}
}

// holdWriter keeps the writer busy with a job until release is called, so that a test can fill
// the queue.
func holdWriter(t *testing.T, s *Store) (release func()) {
	t.Helper()
	begun, end := make(chan struct{}), make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		err := tx.Change(t.Context(), s.db, func(group) error {
			close(begun)
			<-end
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-begun
	return func() {
		close(end)
		done.Wait()
	}
}

// waitQueued waits until n jobs are in the queue.
func waitQueued(t *testing.T, s *Store, n int) {
	t.Helper()
	for s.db.Engine().Queued() < n {
		if t.Context().Err() != nil {
			t.Fatal("the jobs never came")
		}
		runtime.Gosched()
	}
}
