package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// Modes of what a store and its backups are made of: nobody but the server's user
// reads messages, token secrets and files.
const (
	privateDir  fs.FileMode = 0o700
	privateFile fs.FileMode = 0o600
)

// makeData makes --data where it is not there yet, and makes it and the store in it
// private where others could read them. From here on the process makes private files
// alone, whatever umask it was started with.
func makeData(dir string, log *slog.Logger) error {
	setPrivateUmask()
	if err := os.MkdirAll(dir, privateDir); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	if info.Mode()&fs.ModeSticky != 0 {
		return fmt.Errorf("--data: %s is shared by many (mode %v): name a directory of its own", dir, info.Mode())
	}
	for _, name := range []string{"", uploadsDir} {
		if err := tighten(filepath.Join(dir, name), privateDir, log); err != nil {
			return fmt.Errorf("--data: %w", err)
		}
	}
	for _, name := range []string{storeFile, storeFile + "-wal", storeFile + "-shm", lockFile} {
		if err := tighten(filepath.Join(dir, name), privateFile, log); err != nil {
			return fmt.Errorf("--data: %w", err)
		}
	}
	return nil
}

// tightenFiles makes the files of a directory private.
func tightenFiles(dir string, log *slog.Logger) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--data: %w", err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue // a link is left to who made it
		}
		if err := tighten(filepath.Join(dir, e.Name()), privateFile, log); err != nil {
			return fmt.Errorf("--data: %w", err)
		}
	}
	return nil
}

// tighten takes from everybody else what they may do with a file, if it is there,
// and fails where that cannot be done.
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
