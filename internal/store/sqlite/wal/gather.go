package wal

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// Gathering is the name by which a writer reaches its file through a Disk.
const Gathering = "skein-gathering"

// maxGathered is how much of a log is gathered before it is written, in bytes. Four
// times as much made the calls fewer and a message no cheaper.
const maxGathered = 256 << 10

// Disk is a way to files whose logs can be gathered. The database file stays
// what it is, with the locks and the shared memory that all connections have in
// common, so others need not come this way.
type Disk struct{ vfs.VFSFilename }

// Register makes the system's disk known by that name. Once more is no matter.
func Register(name string) {
	disk := vfs.Find("").(vfs.VFSFilename) //nolint:forcetypeassert // the library's own is one
	vfs.Register(name, Disk{disk})
}

// OpenFilename implements [vfs.VFSFilename].
func (d Disk) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, out, err := d.VFSFilename.OpenFilename(name, flags)
	if err != nil || flags&vfs.OPEN_WAL == 0 {
		return f, out, err
	}
	return &File{File: f}, out, nil
}

// File is the log as the writer writes it. SQLite writes a page of it in two
// calls, its header and the page; while a commit lasts, writes that continue each
// other are gathered and go to the file in one.
//
// That is safe because of when SQLite relies on what it has written:
//
//   - Others are shown the frames of a commit only after it has synced them (with
//     synchronous=FULL, which Of makes sure of), and what was gathered is
//     in the file before a sync begins. The header of a log that starts anew is
//     synced before its frames, so their order is kept too.
//   - In a commit the writer may read and write anew what it has spilled into the log
//     before, to put its checksums right. A read of what was gathered, and a write
//     that does not continue it, come after it was written.
//   - A write that fails is told by the call that had to make it, as SQLite's
//     IOERR_WRITE, and fails the commit. What was gathered is dropped then, as it is
//     whenever a commit fails, and never tried again.
//   - Between commits nothing is gathered. What a transaction spills is written at
//     once, since nothing tells this file when it is rolled back: kept until later, it
//     would be written over the frames that another process has committed there.
//
// Owned by the goroutine that owns the connection.
type File struct {
	vfs.File

	gathering bool
	from      int64  // where gathered begins in the file
	gathered  []byte // empty unless gathering
}

// Gather makes the writes of a commit fewer.
func (f *File) Gather(commit func() error) error {
	f.gathering = true
	defer func() { f.gathering, f.gathered = false, f.gathered[:0] }()
	return commit()
}

// WriteAt implements [vfs.File].
func (f *File) WriteAt(p []byte, off int64) (int, error) {
	if !f.gathering {
		return f.File.WriteAt(p, off)
	}
	if off != f.from+int64(len(f.gathered)) || len(f.gathered)+len(p) > maxGathered {
		if err := f.flush(); err != nil {
			return 0, err
		}
		f.from = off
	}
	f.gathered = append(f.gathered, p...)
	return len(p), nil
}

// ReadAt implements [vfs.File].
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.from {
		if err := f.flush(); err != nil {
			return 0, err
		}
	}
	return f.File.ReadAt(p, off)
}

// Sync implements [vfs.File].
func (f *File) Sync(flags vfs.SyncFlag) error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.File.Sync(flags)
}

// Size implements [vfs.File].
func (f *File) Size() (int64, error) {
	if err := f.flush(); err != nil {
		return 0, err
	}
	return f.File.Size()
}

// Truncate implements [vfs.File].
func (f *File) Truncate(size int64) error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (f *File) flush() error {
	p := f.gathered
	if len(p) == 0 {
		return nil
	}
	f.gathered = p[:0]
	_, err := f.File.WriteAt(p, f.from)
	return vfs.SystemError(err, sqlite3.IOERR_WRITE) // whichever call it was that had to write
}

// Through is how a connection opens the file at path by the VFS of that name.
func Through(name, path string) string {
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: url.Values{"vfs": {name}}.Encode()}
	return u.String()
}

// Of is the log of a connection that was opened through a Disk. It must
// sync its commits: else they would be visible before they are in the file.
func Of(db *sqlite3.Conn) (*File, error) {
	const full = 2
	var synchronous int
	stmt, _, err := db.Prepare(`PRAGMA synchronous`)
	if err != nil {
		return nil, err
	}
	if stmt.Step() {
		synchronous = stmt.ColumnInt(0)
	}
	if err := errors.Join(stmt.Err(), stmt.Close()); err != nil {
		return nil, err
	}
	if synchronous < full {
		return nil, fmt.Errorf("synchronous is %d, which does not sync a commit", synchronous)
	}
	f, err := db.FileControl("main", sqlite3.FCNTL_JOURNAL_POINTER)
	if err != nil {
		return nil, err
	}
	log, ok := f.(*File)
	if !ok {
		return nil, fmt.Errorf("the log is a %T", f)
	}
	return log, nil
}
