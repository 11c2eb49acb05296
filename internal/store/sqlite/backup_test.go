package sqlite

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/schema"
)

func TestABackupIsOfOneMoment(t *testing.T) {
	s := newStore(t, Options{})
	one, two := newGroup(t, s), newGroup(t, s)
	backup := func(out string) error { // while messages arrive; on a slow machine no more of them
		stop := make(chan struct{})
		var writing sync.WaitGroup
		defer writing.Wait()
		defer close(stop)
		writing.Go(func() { keepSending(t, s, one, two, stop) })
		return schema.Backup(t.Context(), s.db.Engine().Path(), out)
	}
	for range 5 {
		out := filepath.Join(t.TempDir(), "copy.db")
		least := len(seqs(t, s, two))
		if err := backup(out); err != nil {
			t.Fatal(err)
		}
		if err := schema.Check(t.Context(), out); err != nil {
			t.Fatal(err)
		}
		saved := openStore(t, Options{Path: out})
		n, m := len(seqs(t, saved, one)), len(seqs(t, saved, two))
		if n-m > 1 || n < m || m < least {
			t.Fatalf("the copy has %d and %d messages, at least %d of each were there", n, m, least)
		}
		wantDense(t, saved, one, n)
		appendMany(t, saved, one, "on it goes", 1, nil)
		wantDense(t, saved, one, n+1)
	}
}

// keepSending sends to both conversations, never more to two than to one, until it is stopped or
// has sent some hundred messages.
func keepSending(t *testing.T, s *Store, one, two skein.ID, stop <-chan struct{}) {
	for range 200 {
		for _, conv := range []skein.ID{one, two} {
			appendMany(t, s, conv, strings.Repeat("x", 5000), 1, nil)
		}
		select {
		case <-stop:
			return
		default:
		}
	}
}

func TestABackupHoldsNothingThatWasErased(t *testing.T) {
	s := newStore(t, Options{})
	conv := newGroup(t, s)
	const secret = "a secret of which nothing may stay"
	appendMany(t, s, conv, secret, 50, nil)
	onWriter(t, s, `DELETE FROM messages`)
	out := filepath.Join(t.TempDir(), "copy.db")
	if err := schema.Backup(t.Context(), s.db.Engine().Path(), out); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(out)
	if err != nil || bytes.Contains(raw, []byte(secret)) {
		t.Fatalf("it is in the copy; %v", err)
	}
}

func TestABackupThatIsNotWantedAnyMoreEnds(t *testing.T) {
	s := newStore(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := schema.Backup(ctx, s.db.Engine().Path(), filepath.Join(t.TempDir(), "copy.db")); !errors.Is(err, context.Canceled) {
		t.Fatalf("got error %v", err)
	}
}

func TestCheckSeesWhatIsBroken(t *testing.T) {
	s := newStore(t, Options{})
	conv := newGroup(t, s)
	appendMany(t, s, conv, strings.Repeat("x", 5000), 50, nil)
	out := filepath.Join(t.TempDir(), "copy.db")
	if err := schema.Backup(t.Context(), s.db.Engine().Path(), out); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(raw); i += 4096 { // every other page but the first
		if i/4096%2 == 1 {
			clear(raw[i : i+512])
		}
	}
	if err := os.WriteFile(out, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := schema.Check(t.Context(), out); err == nil {
		t.Fatal("it finds nothing wrong")
	}
}
