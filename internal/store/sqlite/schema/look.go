package schema

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// Names of the VFSs that lookingDisk is registered under. The first locks the file as SQLite
// does, so that no other process is connected; the second is for files that no process uses.
const (
	lookingVFS   = "skein-looking"
	untouchedVFS = "skein-untouched"
)

// lookingDisk reads a database and its log and changes nothing: no page, no journal mode, no
// other file. SQLite keeps the index of the log in memory, because these files have no shared
// memory.
type lookingDisk struct {
	vfs.VFSFilename

	locks bool
}

// OpenFilename implements [vfs.VFSFilename].
func (d lookingDisk) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	way := flags &^ vfs.OPEN_CREATE
	if !d.locks {
		way = way&^vfs.OPEN_READWRITE | vfs.OPEN_READONLY
	}
	f, _, err := d.VFSFilename.OpenFilename(name, way)
	if errors.Is(err, fs.ErrNotExist) && flags&vfs.OPEN_WAL != 0 {
		return lookedFile{absent{}, false}, flags, nil
	}
	if err != nil {
		return nil, flags, err
	}
	return lookedFile{f, d.locks}, flags, nil
}

// Delete implements [vfs.VFS].
func (lookingDisk) Delete(string, bool) error { return sqlite3.IOERR_DELETE }

// lookedFile is a file that cannot be changed.
type lookedFile struct {
	vfs.File

	locks bool
}

// WriteAt implements [vfs.File].
func (lookedFile) WriteAt([]byte, int64) (int, error) { return 0, sqlite3.IOERR_WRITE }

// Truncate implements [vfs.File].
func (lookedFile) Truncate(int64) error { return sqlite3.IOERR_TRUNCATE }

// Lock implements [vfs.File].
func (f lookedFile) Lock(level vfs.LockLevel) error {
	if !f.locks {
		return nil
	}
	return f.File.Lock(level)
}

// Unlock implements [vfs.File].
func (f lookedFile) Unlock(level vfs.LockLevel) error {
	if !f.locks {
		return nil
	}
	return f.File.Unlock(level)
}

// absent is a log that is not there.
type absent struct{ vfs.File }

// Close implements [vfs.File].
func (absent) Close() error { return nil }

// ReadAt implements [vfs.File].
func (absent) ReadAt([]byte, int64) (int, error) { return 0, io.EOF }

// Size implements [vfs.File].
func (absent) Size() (int64, error) { return 0, nil }

// Sync implements [vfs.File].
func (absent) Sync(vfs.SyncFlag) error { return nil }

// SectorSize implements [vfs.File].
func (absent) SectorSize() int { return 4096 }

// DeviceCharacteristics implements [vfs.File].
func (absent) DeviceCharacteristics() vfs.DeviceCharacteristic { return vfs.IOCAP_POWERSAFE_OVERWRITE }

// look tries again every lookPause, for lookPatience, while another process is connected:
// perhaps that one only looks too.
const (
	lookPause    = 10 * time.Millisecond
	lookPatience = time.Second
)

// errInUse says that another process stays connected to the file.
var errInUse = errors.New("another process uses the store")

// look calls see with the file at path while no other process is connected to it, and changes
// nothing. Errors: errInUse; those of see.
func look(ctx context.Context, path string, see func(*engine.Conn) error) error {
	for deadline := time.Now().Add(lookPatience); ; {
		err := lookOnce(lookingVFS, path, see)
		if !errors.Is(err, sqlite3.BUSY) {
			return err
		}
		if time.Now().After(deadline) {
			return errInUse
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookPause):
		}
	}
}

// lookUntouched is look for a file that no process uses, such as a backup. The file may be on a
// read-only disk.
func lookUntouched(path string, see func(*engine.Conn) error) error {
	return lookOnce(untouchedVFS, path, see)
}

func lookOnce(name, path string, see func(*engine.Conn) error) error {
	vfs.Register(name, lookingDisk{vfs.Find("").(vfs.VFSFilename), name == lookingVFS}) //nolint:forcetypeassert // the library's own is one
	c, err := engine.OpenConn(engine.Through(name, path), sqlite3.OPEN_READWRITE|sqlite3.OPEN_URI, `PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY;`)
	if err != nil {
		return err
	}
	// The first read takes the lock, which is kept until the connection is closed.
	_, err = c.Row(nil, `SELECT 1 FROM sqlite_schema LIMIT 1`)
	if err == nil {
		err = see(c)
	}
	return errors.Join(err, c.KeepLog(), c.Close())
}
