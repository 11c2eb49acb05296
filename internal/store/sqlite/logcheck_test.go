package sqlite

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/schema"
	"github.com/skein-im/skein/internal/store/sqlite/wal"
)

// crashed returns the files that the process would leave behind if it were killed now.
type crashed struct{ db, log, mark []byte }

func crash(t *testing.T, s *Store) crashed {
	t.Helper()
	path := s.db.Engine().Path()
	return crashed{fileOf(t, path), fileOf(t, path+"-wal"), fileOf(t, path+wal.MarkSuffix)}
}

// lay writes the files into a new directory. A nil file is absent.
func (c crashed) lay(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "skein.db")
	for suffix, content := range map[string][]byte{"": c.db, "-wal": c.log, wal.MarkSuffix: c.mark} {
		if content != nil {
			putFile(t, path+suffix, content)
		}
	}
	return path
}

// damaged changes one byte of the log.
func (c crashed) damaged(at int) crashed {
	c.log = append([]byte(nil), c.log...)
	c.log[at] ^= 0x10
	return c
}

const (
	logHeaderBytes   = 32
	frameHeaderBytes = 24
	testFrame        = frameHeaderBytes + 4096
)

// wantLoss checks that the loss is reported and that no file changed.
func wantLoss(t *testing.T, what string, c crashed) {
	t.Helper()
	path := c.lay(t)
	before := files(t, filepath.Dir(path))
	loss, ok := errors.AsType[*wal.LossError](wal.Check(path))
	if !ok || loss.Pages == 0 {
		t.Fatalf("%s: got %v, want a loss", what, loss)
	}
	for name, content := range files(t, filepath.Dir(path)) {
		if before[name] != content {
			t.Fatalf("%s: %s is different", what, name)
		}
	}
}

func wantNoLoss(t *testing.T, what string, c crashed) {
	t.Helper()
	if err := wal.Check(c.lay(t)); err != nil {
		t.Fatalf("%s: got error %v, want none", what, err)
	}
}

// someCommits makes n commits, each answered.
func someCommits(t *testing.T, s *Store, conv skein.ID, n int) {
	t.Helper()
	for range n {
		appendMany(t, s, conv, strings.Repeat("x", rand.IntN(9000)), 1, nil)
	}
}

func TestAnyByteOfTheLogThatIsDifferentIsALoss(t *testing.T) {
	s := newStore(t, Options{})
	someCommits(t, s, newGroup(t, s), 20)
	c := crash(t, s)
	wantNoLoss(t, "as it was", c)
	frames := (len(c.log) - logHeaderBytes) / testFrame
	for at := range logHeaderBytes {
		wantLoss(t, "a byte of the header", c.damaged(at))
	}
	for _, frame := range []int{0, 1, frames / 2, frames - 2, frames - 1} {
		from := logHeaderBytes + frame*testFrame
		for at := range frameHeaderBytes {
			wantLoss(t, "a byte of a frame's header", c.damaged(from+at))
		}
		for range 5 {
			wantLoss(t, "a byte of a page", c.damaged(from+frameHeaderBytes+rand.IntN(4096)))
		}
	}
	for range 50 {
		cut := c
		cut.log = c.log[:rand.IntN(len(c.log))]
		wantLoss(t, "a log cut short", cut)
		wantLoss(t, "a byte anywhere", c.damaged(rand.IntN(len(c.log))))
	}
	c.log = nil
	wantLoss(t, "no log", c)
}

// Any part of an unfinished commit may be in the log: its sectors reach the disk in any order.
func TestACommitThatWasNeverAnsweredIsNoLoss(t *testing.T) {
	s := newStore(t, Options{})
	conv := newGroup(t, s)
	for range 10 {
		someCommits(t, s, conv, 1+rand.IntN(3))
		answered := crash(t, s)
		someCommits(t, s, conv, 1)
		torn := crash(t, s)
		torn.mark, torn.db = answered.mark, answered.db
		from := len(answered.log)
		for range 20 {
			c := torn
			c.log = append([]byte(nil), torn.log...)
			for sector := from; sector < len(c.log); sector += 512 {
				if rand.IntN(3) == 0 {
					clear(c.log[sector:min(sector+512, len(c.log))])
				}
			}
			wantNoLoss(t, "sectors that did not get to the disk", c)
			c.log = c.log[:from+rand.IntN(len(c.log)-from+1)]
			wantNoLoss(t, "and the end neither", c)
			c.mark = nil
			wantNoLoss(t, "nor the mark", c)
		}
	}
}

// A power cut may lose the last seconds of the mark.
func TestAnOldMarkIsNoLossAndHidesNone(t *testing.T) {
	s := newStore(t, Options{})
	conv := newGroup(t, s)
	someCommits(t, s, conv, 3)
	old := crash(t, s)
	someCommits(t, s, conv, 10)
	c := crash(t, s)
	for name, mark := range map[string][]byte{"old": old.mark, "torn": c.mark[:20], "none": nil, "of zeroes": make([]byte, len(c.mark))} {
		c.mark = mark
		wantNoLoss(t, "mark: "+name, c)
		// More than one commit follows, so the damaged one had been synced.
		wantLoss(t, "mark: "+name, c.damaged(len(old.log)+frameHeaderBytes+100))
	}
}

func TestALogThatStartsAnewIsNoLoss(t *testing.T) {
	s := newStore(t, Options{})
	conv := newGroup(t, s)
	someCommits(t, s, conv, 20)
	moved, err := engine.OpenConn(s.db.Engine().Path(), sqlite3.OPEN_READWRITE, engine.WriterSettings)
	if err != nil {
		t.Fatal(err)
	}
	defer moved.Close()
	if _, _, err := moved.DB.WALCheckpoint("main", sqlite3.CHECKPOINT_PASSIVE); err != nil {
		t.Fatal(err)
	}
	before := crash(t, s)
	for at := range logHeaderBytes {
		wantNoLoss(t, "the header of the next log was torn", before.damaged(at))
	}
	gone := before
	gone.log = nil
	wantNoLoss(t, "somebody moved the log and took it away", gone)
	someCommits(t, s, conv, 1)
	after := crash(t, s)
	if after.log[12] == before.log[12] && after.log[15] == before.log[15] && string(after.log[16:24]) == string(before.log[16:24]) {
		t.Fatal("the log did not start anew")
	}
	wantNoLoss(t, "the log has started anew", after)
	after.mark = before.mark
	wantNoLoss(t, "and the mark is from before that", after)
}

func TestAnOperatorDecidesAboutALoss(t *testing.T) {
	s := newStore(t, Options{})
	conv := newGroup(t, s)
	someCommits(t, s, conv, 20)
	have := len(seqs(t, s, conv))
	c := crash(t, s)
	path := c.damaged(len(c.log) - testFrame/2).lay(t)
	for range 2 {
		if _, err := Open(t.Context(), Options{Path: path}); !strings.Contains(err.Error(), "is damaged at byte") {
			t.Fatalf("got error %v", err)
		}
	}
	if err := schema.Backup(t.Context(), path, filepath.Join(t.TempDir(), "copy.db")); err == nil {
		t.Fatal("a store with a loss was backed up")
	}
	left := openStore(t, Options{Path: path, AcceptLoss: true})
	n := len(seqs(t, left, conv))
	if n >= have || n < have-2 {
		t.Fatalf("%d of %d messages are left", n, have)
	}
	kept, err := filepath.Glob(path + "-wal.lost-*")
	if err != nil || len(kept) != 1 {
		t.Fatalf("the log that was kept: %v, %v", kept, err)
	}
	someCommits(t, left, conv, 3)
	again := openStore(t, Options{Path: crash(t, left).lay(t)})
	wantDense(t, again, conv, n+3)
	wantIntact(t, again)
}

func TestTheMarkGoesWithTheLog(t *testing.T) {
	s := newStore(t, Options{})
	path := s.db.Engine().Path()
	beside := openStore(t, Options{Path: path, Beside: true})
	if err := beside.CreateApp(t.Context(), skein.App{ID: "beside"}); err != nil {
		t.Fatal(err)
	}
	if err := beside.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + wal.MarkSuffix); err != nil {
		t.Fatalf("the log is there still: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + wal.MarkSuffix); !os.IsNotExist(err) {
		t.Fatalf("got %v, want no mark", err)
	}
}
