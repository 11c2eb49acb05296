package engine

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// notes are tables of one table, without anything that is kept beside its rows.
type notes struct{}

func (notes) Start(*Conn) error { return nil }
func (notes) Forget()           {}
func (notes) Begin(c *Conn, _ time.Time, _ bool) (Group, error) {
	return noteGroup{c}, nil
}

type noteGroup struct{ *Conn }

func (noteGroup) Flush() error { return nil }
func (noteGroup) Save()        {}
func (noteGroup) Undo(bool)    {}
func (noteGroup) Committed()   {}

// newEngine opens a new file with the table notes.
func newEngine(t *testing.T, opt Options) *Engine {
	t.Helper()
	opt.Path = filepath.Join(t.TempDir(), "notes.db")
	c, err := OpenConn(opt.Path, sqlite3.OPEN_READWRITE|sqlite3.OPEN_CREATE, Settings+`CREATE TABLE notes (note INTEGER PRIMARY KEY, text TEXT)`)
	if err == nil {
		err = c.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return openEngine(t, opt)
}

func openEngine(t *testing.T, opt Options) *Engine {
	t.Helper()
	opt.Now, opt.Log = time.Now, slog.New(slog.DiscardHandler)
	opt.QueueJobs, opt.QueueBytes = 16_384, 64<<20
	if opt.Readers == 0 {
		opt.Readers = 4
	}
	e, err := Open(opt, notes{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// change runs fn in a commit.
func change(ctx context.Context, e *Engine, fn func(*Conn) error) error {
	j := &Job{Run: func(g Group) error { return fn(g.(noteGroup).Conn) }}
	if err := e.Do(ctx, j); err != nil {
		return err
	}
	return j.Err
}

func mustChange(t *testing.T, e *Engine, fn func(*Conn) error, want error) {
	t.Helper()
	if err := change(t.Context(), e, fn); !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

func add(t *testing.T, e *Engine, text string) error {
	t.Helper()
	return change(t.Context(), e, func(c *Conn) error { return c.Exec(`INSERT INTO notes (text) VALUES (?1)`, text) })
}

// addMany adds n notes at once and wants the same error for each.
func addMany(t *testing.T, e *Engine, text string, n int, want error) {
	t.Helper()
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			if err := add(t, e, text); !errors.Is(err, want) {
				t.Errorf("got error %v, want %v", err, want)
			}
		})
	}
	all.Wait()
}

func notesIn(t *testing.T, e *Engine) (n int) {
	t.Helper()
	err := e.Read(t.Context(), "", func(c *Conn) (err error) {
		n, err = c.Count(`SELECT count(*) FROM notes`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func wantNotes(t *testing.T, e *Engine, want int) {
	t.Helper()
	if got := notesIn(t, e); got != want {
		t.Fatalf("got %d notes, want %d", got, want)
	}
}

func wantIntact(t *testing.T, e *Engine) {
	t.Helper()
	if err := e.Read(t.Context(), "", func(c *Conn) error { return c.Sound(`PRAGMA integrity_check`) }); err != nil {
		t.Fatal(err)
	}
}

// holdWriter keeps the writer busy with a job until release is called, so that a
// test may fill the queue behind it.
func holdWriter(t *testing.T, e *Engine) (release func()) {
	t.Helper()
	begun, end := make(chan struct{}), make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		mustChange(t, e, func(*Conn) error {
			close(begun)
			<-end
			return nil
		}, nil)
	})
	<-begun
	return func() {
		close(end)
		done.Wait()
	}
}
