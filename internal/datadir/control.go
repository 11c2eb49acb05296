package datadir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Listen opens the Unix socket through which commands reach the server of this directory. It has
// the same permissions as the store. The process must hold the lock of the directory. cannot says
// why the system allows no socket there; a server runs without one.
func Listen(ctx context.Context, data string) (l net.Listener, cannot, err error) {
	path := filepath.Join(data, controlFile)
	if err := RemoveSocket(data); err != nil { // left by a server that was killed: this process holds the lock
		return nil, nil, err
	}
	address, release, err := socketAddress(path)
	if err != nil {
		return nil, nil, fmt.Errorf("--data: %w", err)
	}
	var lc net.ListenConfig
	l, cannot = lc.Listen(ctx, "unix", address)
	release()
	if cannot != nil {
		return nil, cannot, nil
	}
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false) // the address may name a directory handle that is closed by then
	}
	if err := os.Chmod(path, PrivateFile); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("--data: %w", err), l.Close())
	}
	return l, nil, nil
}

// RemoveSocket removes the socket after its listener is closed.
func RemoveSocket(data string) error {
	if err := os.Remove(filepath.Join(data, controlFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--data: %w", err)
	}
	return nil
}

// Dial returns a client whose calls go to the server that runs on the directory.
func Dial(ctx context.Context, data string) (*http.Client, error) {
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
