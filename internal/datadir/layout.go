package datadir

import (
	"fmt"
	"os"
	"path/filepath"
)

// Names in the directory.
const (
	storeFile   = "skein.db"     // the embedded store; SQLite adds -wal and -shm
	uploads     = "uploads"      // the folder of package files
	lockFile    = "serve.lock"   // locked by a process, whose name and pid it holds
	controlFile = "control.sock" // see Listen
	restoring   = ".restore-*"   // pattern of the directories in which a restore prepares its data
	restored    = ".restored"    // the data of a restore, complete
	dryRun      = ".dry-run-*"   // pattern of the directories of MakeCopy
)

// StoreFile is the path of the embedded store.
func StoreFile(data string) string { return filepath.Join(data, storeFile) }

// Uploads is the directory of the uploads, unless --uploads names another one.
func Uploads(data string) string { return filepath.Join(data, uploads) }

// MustHaveStore refuses a directory without a store: the operator may have mistyped it. flag is
// the one that named the directory.
func MustHaveStore(flag, dir string) error {
	if _, err := os.Stat(StoreFile(dir)); err != nil {
		return fmt.Errorf("%s: there is no store in %s", flag, dir)
	}
	return nil
}
