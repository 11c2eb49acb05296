package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// Modes of the files of a store and of its backups. Only the server's user may read
// messages, token secrets and files.
const (
	PrivateDir  fs.FileMode = 0o700
	PrivateFile fs.FileMode = 0o600
)

// Make creates the directory if it does not exist, and makes it and its store private. It also
// sets the umask, so that all later files of this process are private. log may be nil.
func Make(dir string, log *slog.Logger) error {
	SetPrivateUmask()
	if err := os.MkdirAll(dir, PrivateDir); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	if info.Mode()&fs.ModeSticky != 0 {
		return fmt.Errorf("--data: %s is shared with other users (mode %v): use a directory of its own", dir, info.Mode())
	}
	for _, name := range []string{"", uploads} {
		if err := tighten(filepath.Join(dir, name), PrivateDir, log); err != nil {
			return fmt.Errorf("--data: %w", err)
		}
	}
	for _, name := range []string{storeFile, storeFile + "-wal", storeFile + "-shm", lockFile} {
		if err := tighten(filepath.Join(dir, name), PrivateFile, log); err != nil {
			return fmt.Errorf("--data: %w", err)
		}
	}
	return nil
}

// TightenUploads makes the uploads private.
func TightenUploads(data string, log *slog.Logger) error {
	dir := Uploads(data)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--data: %w", err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue // links are not followed or changed
		}
		if err := tighten(filepath.Join(dir, e.Name()), PrivateFile, log); err != nil {
			return fmt.Errorf("--data: %w", err)
		}
	}
	return nil
}

// tighten removes the permissions of other users from a file, if it exists. It fails if it
// cannot.
func tighten(path string, mode fs.FileMode, log *slog.Logger) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || !openToOthers(info.Mode()) {
		return err
	}
	if err := os.Chmod(path, mode); err != nil {
		return fmt.Errorf("%s is open to others (mode %v) and cannot be made private: %w", path, info.Mode().Perm(), err)
	}
	if log != nil {
		log.Warn("a file or directory was open to others and is private now", slog.String("path", path), slog.String("mode", info.Mode().Perm().String()))
	}
	return nil
}
