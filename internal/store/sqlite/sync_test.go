package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/skein-im/skein"
)

// brokenDisk is a way to files whose syncs, or whose writes, fail while it is broken.
type brokenDisk struct {
	vfs.VFSFilename

	kind   vfs.OpenFlag // of the files that it is about
	broken atomic.Bool  // syncs fail
	full   atomic.Bool  // writes fail
	writes atomic.Int64 // asked for
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
	f.disk.writes.Add(1)
	if f.disk.full.Load() {
		return 0, errBroken
	}
	return f.FileSharedMemory.WriteAt(p, off)
}

// newBrokenDisk answers the disk, which connections reach by the test's name. Logs
// are gathered on it.
func newBrokenDisk(t *testing.T, kind vfs.OpenFlag) *brokenDisk {
	t.Helper()
	d := &brokenDisk{VFSFilename: vfs.Find("").(vfs.VFSFilename), kind: kind}
	vfs.Register(t.Name(), logDisk{d})
	t.Cleanup(func() { vfs.Unregister(t.Name()) })
	return d
}

// moveWriter makes the writer connect anew, to the disk of the test's name.
func moveWriter(t *testing.T, s *Store) {
	t.Helper()
	mustChange(t, s, func(*group) error { s.writer.vfs = t.Name(); return nil }, nil)
	mustChange(t, s, func(*group) error { panic("so that the next group connects anew") }, errPanicked)
}

func TestAFailedSyncOfTheFileKeepsTheLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "skein.db")
	disk := newBrokenDisk(t, vfs.OPEN_MAIN_DB)
	s := newStore(t, Options{Path: path})
	conv := newGroup(t, s)
	mover, err := startCheckpointer(through(t.Name(), path), 1, s.writer.log)
	if err != nil {
		t.Fatal(err)
	}
	mustChange(t, s, func(*group) error {
		err := s.writer.mover.stop()
		s.writer.mover = mover
		return err
	}, nil)
	appendMany(t, s, conv, "hi", 10, nil)
	disk.broken.Store(true)
	for !mover.stuck.Load() {
		appendMany(t, s, conv, "hi", 1, nil)
		runtime.Gosched()
	}
	disk.broken.Store(false)
	appendMany(t, s, conv, "hi", 10, nil)
	want := len(seqs(t, s, conv))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if log, err := os.Stat(path + "-wal"); err != nil || log.Size() == 0 {
		t.Fatalf("the log is gone: %v", err)
	}
	s = openStore(t, Options{Path: path})
	wantDense(t, s, conv, want)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); err == nil {
		t.Fatal("a sound start has moved nothing")
	}
}

func TestAfterAFailedSyncOfTheLogTheWriterConnectsAnew(t *testing.T) {
	disk := newBrokenDisk(t, vfs.OPEN_WAL)
	s := newStore(t, Options{})
	conv := newGroup(t, s)
	appendMany(t, s, conv, "hi", 3, nil)
	moveWriter(t, s)
	disk.broken.Store(true)
	appendMany(t, s, conv, "hi", 20, skein.ErrUnavailable)
	wantDense(t, s, conv, 3)
	disk.broken.Store(false)
	var before *sqlite3.Conn
	mustChange(t, s, func(g *group) error { before = g.db; return nil }, nil)
	disk.broken.Store(true)
	appendMany(t, s, conv, "hi", 1, skein.ErrUnavailable)
	disk.broken.Store(false)
	mustChange(t, s, func(g *group) error {
		if g.db == before {
			t.Error("the connection is the one whose sync failed")
		}
		return nil
	}, nil)
	appendMany(t, s, conv, "hi", 20, nil)
	wantDense(t, s, conv, 23)
	wantIntact(t, s)
}
