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

// brokenDisk is a way to files whose syncs fail while it is broken.
type brokenDisk struct {
	vfs.VFSFilename

	kind   vfs.OpenFlag // of the files that it is about
	broken atomic.Bool
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

// newBrokenDisk answers the disk and how a connection finds the file on it.
func newBrokenDisk(t *testing.T, kind vfs.OpenFlag, path string) (d *brokenDisk, uri string) {
	t.Helper()
	d = &brokenDisk{VFSFilename: vfs.Find("").(vfs.VFSFilename), kind: kind}
	vfs.Register(t.Name(), d)
	t.Cleanup(func() { vfs.Unregister(t.Name()) })
	return d, "file:" + path + "?vfs=" + t.Name()
}

func TestAFailedSyncOfTheFileKeepsTheLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "skein.db")
	disk, uri := newBrokenDisk(t, vfs.OPEN_MAIN_DB, path)
	s := newStore(t, Options{Path: path})
	conv := newGroup(t, s)
	mover, err := startCheckpointer(uri, 1, s.writer.log)
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
	path := filepath.Join(t.TempDir(), "skein.db")
	disk, uri := newBrokenDisk(t, vfs.OPEN_WAL, path)
	s := newStore(t, Options{Path: path})
	conv := newGroup(t, s)
	appendMany(t, s, conv, "hi", 3, nil)
	mustChange(t, s, func(*group) error { s.writer.path = uri; return nil }, nil)
	mustChange(t, s, func(*group) error { panic("so that the next group connects by the new path") }, errPanicked)
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
