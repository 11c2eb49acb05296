package engine

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/skein-im/skein"
)

// brokenDisk is a VFS whose files of one kind fail to sync or to write on demand.
type brokenDisk struct {
	vfs.VFSFilename

	kind   vfs.OpenFlag // of the files that fail
	broken atomic.Bool  // syncs fail
	full   atomic.Bool  // writes fail
}

type brokenFile struct {
	vfs.FileSharedMemory

	disk *brokenDisk
}

var errBroken = errors.New("input/output error")

func (d *brokenDisk) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, out, err := d.VFSFilename.OpenFilename(name, flags)
	if err != nil || flags&d.kind == 0 {
		return f, out, err
	}
	return &brokenFile{f.(vfs.FileSharedMemory), d}, out, nil
}

func (f *brokenFile) Sync(flags vfs.SyncFlag) error {
	if f.disk.broken.Load() {
		return errBroken
	}
	return f.FileSharedMemory.Sync(flags)
}

func (f *brokenFile) WriteAt(p []byte, off int64) (int, error) {
	if f.disk.full.Load() {
		return 0, errBroken
	}
	return f.FileSharedMemory.WriteAt(p, off)
}

// newBrokenDisk returns the disk. Connections reach it through the VFS named after the test.
func newBrokenDisk(t *testing.T, kind vfs.OpenFlag) *brokenDisk {
	t.Helper()
	d := &brokenDisk{VFSFilename: vfs.Find("").(vfs.VFSFilename), kind: kind}
	vfs.Register(t.Name(), d)
	t.Cleanup(func() { vfs.Unregister(t.Name()) })
	return d
}

// moveWriter makes the writer connect anew, through the VFS named after the test.
func moveWriter(t *testing.T, e *Engine) {
	t.Helper()
	mustChange(t, e, func(*Conn) error { e.writer.path = Through(t.Name(), e.Path()); return nil }, nil)
	mustChange(t, e, func(*Conn) error { panic("so that the next group connects anew") }, ErrPanicked)
}

func TestAFailedSyncOfTheFileKeepsTheLog(t *testing.T) {
	disk := newBrokenDisk(t, vfs.OPEN_MAIN_DB)
	e := newEngine(t, Options{})
	path := e.Path()
	mover, err := startCheckpointer(Through(t.Name(), path), 1, e.log)
	if err != nil {
		t.Fatal(err)
	}
	mustChange(t, e, func(*Conn) error {
		err := e.writer.mover.stop()
		e.writer.mover = mover
		return err
	}, nil)
	addMany(t, e, "hi", 10, nil)
	disk.broken.Store(true)
	for !mover.stuck.Load() {
		addMany(t, e, "hi", 1, nil)
		runtime.Gosched()
	}
	disk.broken.Store(false)
	addMany(t, e, "hi", 10, nil)
	want := notesIn(t, e)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if log, err := os.Stat(path + "-wal"); err != nil || log.Size() == 0 {
		t.Fatalf("the log is gone: %v", err)
	}
	e = openEngine(t, Options{Path: path})
	wantNotes(t, e, want)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); err == nil {
		t.Fatal("a sound start has moved nothing")
	}
}

func TestAfterAFailedSyncOfTheLogTheWriterConnectsAnew(t *testing.T) {
	disk := newBrokenDisk(t, vfs.OPEN_WAL)
	e := newEngine(t, Options{})
	addMany(t, e, "hi", 3, nil)
	moveWriter(t, e)
	disk.broken.Store(true)
	addMany(t, e, "hi", 20, skein.ErrUnavailable)
	wantNotes(t, e, 3)
	disk.broken.Store(false)
	var before *sqlite3.Conn
	mustChange(t, e, func(c *Conn) error { before = c.DB; return nil }, nil)
	disk.broken.Store(true)
	addMany(t, e, "hi", 1, skein.ErrUnavailable)
	disk.broken.Store(false)
	mustChange(t, e, func(c *Conn) error {
		if c.DB == before {
			t.Error("the connection is the one whose sync failed")
		}
		return nil
	}, nil)
	addMany(t, e, "hi", 20, nil)
	wantNotes(t, e, 23)
	wantIntact(t, e)
}

func TestAFailedWriteOfTheLogIsOver(t *testing.T) {
	disk := newBrokenDisk(t, vfs.OPEN_WAL)
	e := newEngine(t, Options{})
	moveWriter(t, e)
	addMany(t, e, "hi", 3, nil)
	disk.full.Store(true)
	if err := add(t, e, "hi"); !errors.Is(err, skein.ErrUnavailable) || !errors.Is(err, sqlite3.IOERR_WRITE) {
		t.Errorf("got error %v, want %v", err, sqlite3.IOERR_WRITE)
	}
	addMany(t, e, "hi", 20, skein.ErrUnavailable)
	wantNotes(t, e, 3)
	disk.full.Store(false)
	addMany(t, e, "hi", 20, nil)
	wantNotes(t, e, 23)
	wantIntact(t, e)
}

// What a group has spilled into the log before it was taken back lies where another
// process writes next.
func TestASpilledGroupThatIsTakenBackTouchesNothingLater(t *testing.T) {
	one := newEngine(t, Options{})
	two := openEngine(t, Options{Path: one.Path()})
	big := strings.Repeat("x", 10_000)
	for round := range 3 {
		mustChange(t, one, func(c *Conn) error {
			spilled := errors.Join(c.DB.Exec(`PRAGMA cache_size = 10`), c.Exec(`UPDATE notes SET text = ?1`, strings.Repeat(big, 50)),
				c.Exec(`INSERT INTO notes (text) VALUES (?1)`, strings.Repeat(big, 50)))
			return errors.Join(spilled, sqlite3.FULL)
		}, skein.ErrUnavailable)
		addMany(t, two, big, 5, nil)
		addMany(t, one, big, 1, nil)
		wantNotes(t, two, 6*(round+1))
		wantIntact(t, two)
	}
}

func TestTheWriterSyncsItsLogAtEachCommit(t *testing.T) {
	e := newEngine(t, Options{})
	mustChange(t, e, func(c *Conn) error {
		const full = 2
		if got, err := c.Count(`PRAGMA synchronous`); got != full || err != nil {
			t.Errorf("synchronous is %d, %v, want %d", got, err, full)
		}
		return nil
	}, nil)
}
