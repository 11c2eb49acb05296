package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/skein-im/skein/internal/files"
	"github.com/skein-im/skein/internal/portable/importer"
)

// controlFile is the Unix socket in --data through which `skein import` sends records to a
// running server. It has the same permissions as the store.
const controlFile = "control.sock"

// listenControl opens the control socket and prepares its HTTP server.
func (s *server) listenControl(ctx context.Context, uploads *files.Store) error {
	path := filepath.Join(s.config.Data, controlFile)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // left by a server that was killed: this process holds the lock of --data
		return fmt.Errorf("--data: %w", err)
	}
	address, release, err := socketAddress(path)
	if err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", address)
	release()
	if err != nil {
		s.log.Warn("no control socket: skein import works only while no server runs", slog.Any("error", err))
		return nil
	}
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false) // the address may name a directory handle that is closed by then
	}
	if err := os.Chmod(path, privateFile); err != nil {
		return errors.Join(fmt.Errorf("--data: %w", err), l.Close())
	}
	s.control.listener = l
	s.control.http = newHTTPServer(importer.Handler(importer.StoreTarget{Store: s.store, SaveFile: uploads.SaveAs}), s.log)
	s.control.http.ReadTimeout = 0 // files are large
	return nil
}

// serveControl serves the control socket until shutdown.
func (s *server) serveControl() error {
	if s.control.listener == nil {
		return nil
	}
	return s.control.serve()
}

// closeControl waits for the current batch and closes the control socket.
func (s *server) closeControl(ctx context.Context) error {
	if s.control.listener == nil {
		return nil
	}
	err := s.control.shutdown(ctx, s.log)
	if e := os.Remove(filepath.Join(s.config.Data, controlFile)); !errors.Is(e, fs.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return err
}

// dialControl connects to the server that runs on a --data.
func dialControl(ctx context.Context, data string) (*http.Client, error) {
	dial := func(ctx context.Context) (net.Conn, error) {
		address, release, err := socketAddress(filepath.Join(data, controlFile))
		if err != nil {
			return nil, err
		}
		defer release()
		var d net.Dialer
		return d.DialContext(ctx, "unix", address)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("--data: a server runs on %s and cannot be asked to import: stop it, or restart it with this version: %w", data, err)
	}
	if err := conn.Close(); err != nil {
		return nil, err
	}
	return &http.Client{Transport: &http.Transport{
		DialContext:        func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		DisableCompression: true,
	}}, nil
}

// maxSocketPath is a length, in bytes, that every system accepts as the path of a socket.
const maxSocketPath = 100

// socketAddress turns a path of any length into the address of a socket. For a long path it
// opens the directory and names that; release closes it.
func socketAddress(path string) (address string, release func(), err error) {
	if len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path)), func() { _ = dir.Close() }, nil
}
