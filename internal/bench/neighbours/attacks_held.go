package neighbours

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
)

// The attacks that hold something open.

// errCut says that the server closed the connection.
var errCut = errors.New("cut off by the server")

func preparePresence(_ context.Context, l *loud) (flood, error) {
	watched := make([]string, 500)
	for i := range watched {
		watched[i] = fmt.Sprintf("%q", fmt.Sprintf("%sx%d", l.Tag, i))
	}
	command := []byte(`{"type":"presence.subscribe","data":{"client_ids":[` + strings.Join(watched, ",") + `]}}`)
	return l.hold(l.size(1100), func(ctx context.Context, k int) error {
		s, err := l.Host.Join(ctx, fmt.Sprintf("%sp%d", l.Tag, k))
		if err != nil {
			return err
		}
		defer s.Close()
		defer s.Until(ctx)()
		if _, err := s.Call("presence.subscribe", string(command)); err != nil {
			return err
		}
		l.answered.Add(1)
		return s.Loop(func([]byte) {})
	}), nil
}

func prepareUploads(ctx context.Context, l *loud) (flood, error) {
	clients, err := l.Users(ctx, "f", min(20, l.size(20)))
	if err != nil {
		return nil, err
	}
	const boundary = "part"
	begin := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n"
	return l.hold(l.size(4096), func(ctx context.Context, k int) error {
		token, err := l.Host.Signed(clients[k%len(clients)])
		if err != nil {
			return err
		}
		conn, err := l.Host.From.Dial(ctx, "tcp", l.Host.Addr)
		if err != nil {
			return err
		}
		defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
		defer func() { _ = conn.Close() }()
		if _, err := fmt.Fprintf(conn, "POST /im/file/upload HTTP/1.1\r\nHost: %s\r\napp-id: %s\r\nAuthorization: Bearer %s\r\nContent-Type: multipart/form-data; boundary=%s\r\nContent-Length: %d\r\n\r\n%s",
			l.Host.Addr, l.Host.App, token, boundary, 1<<20, begin); err != nil {
			return err
		}
		l.answered.Add(1)
		for driver.Wait(ctx, 5*time.Second) == nil {
			if _, err := conn.Write([]byte{'a'}); err != nil {
				return errCut
			}
		}
		return nil
	}), nil
}

func prepareGarbage(_ context.Context, l *loud) (flood, error) {
	return l.hold(20, func(ctx context.Context, _ int) error {
		s, err := l.Host.Dial(ctx)
		if err != nil {
			return err
		}
		return l.pour(ctx, s)
	}), nil
}

func prepareLoggedInGarbage(_ context.Context, l *loud) (flood, error) {
	return l.hold(20, func(ctx context.Context, k int) error {
		s, err := l.Host.Join(ctx, fmt.Sprintf("%sg%d", l.Tag, k))
		if err != nil {
			return err
		}
		return l.pour(ctx, s)
	}), nil
}

// pour sends frames of garbage as fast as the socket takes them.
func (l *loud) pour(ctx context.Context, s *driver.Socket) error {
	defer s.Close()
	defer s.Until(ctx)()
	garbage := []byte(`{"type":"login","data":{"app_id":[` + strings.Repeat(`{"a":1},`, 100) + `}`)
	go func() { _, _ = io.Copy(io.Discard, s.Net) }() // ends with the socket
	for ctx.Err() == nil {
		if err := s.Send(garbage); err != nil {
			return errCut
		}
		l.answered.Add(1)
	}
	return nil
}

func prepareFragments(_ context.Context, l *loud) (flood, error) {
	part := bytes.Repeat([]byte{'a'}, 250<<10)
	return l.hold(l.size(1000), func(ctx context.Context, k int) error {
		s, err := l.Host.Join(ctx, fmt.Sprintf("%sk%d", l.Tag, k))
		if err != nil {
			return err
		}
		defer s.Close()
		defer s.Until(ctx)()
		if err := beginText(s, bytes.Clone(part)); err != nil { // it is masked in place
			return err
		}
		l.answered.Add(1)
		return s.Loop(func([]byte) {})
	}), nil
}

func prepareConnections(_ context.Context, l *loud) (flood, error) {
	return l.hold(l.size(3000), func(ctx context.Context, _ int) error {
		conn, err := l.Host.From.Dial(ctx, "tcp", l.Host.Addr)
		if err != nil {
			return err
		}
		defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
		defer func() { _ = conn.Close() }()
		if _, err := fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n", l.Host.Addr); err != nil {
			return err
		}
		l.answered.Add(1)
		_, err = io.Copy(io.Discard, conn)
		return err
	}), nil
}

// prepareRequests opens connections that send calls without waiting for the answers.
func prepareRequests(_ context.Context, l *loud) (flood, error) {
	const atOnce = 100
	calls := bytes.Repeat(fmt.Appendf(nil, "GET /nowhere HTTP/1.1\r\nHost: %s\r\n\r\n", l.Host.Addr), atOnce)
	return l.hold(l.size(500), func(ctx context.Context, _ int) error {
		conn, err := l.Host.From.Dial(ctx, "tcp", l.Host.Addr)
		if err != nil {
			return err
		}
		defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
		defer func() { _ = conn.Close() }()
		var reader sync.WaitGroup
		defer reader.Wait()
		defer func() { _ = conn.Close() }()
		reader.Go(func() { _, _ = io.Copy(io.Discard, conn) }) // ends with the connection
		for ctx.Err() == nil {
			if _, err := conn.Write(calls); err != nil {
				return errCut
			}
			l.answered.Add(atOnce)
		}
		return nil
	}), nil
}

// prepareCommands opens sessions that each send just below the command rate of their app.
func prepareCommands(_ context.Context, l *loud) (flood, error) {
	clients := make([]string, l.size(1000))
	for i := range clients {
		clients[i] = fmt.Sprintf("%sq%d", l.Tag, i)
	}
	return l.hold(len(clients), func(ctx context.Context, k int) error {
		s, err := l.Host.Join(ctx, clients[k])
		if err != nil {
			return err
		}
		defer s.Until(ctx)()
		var reader sync.WaitGroup
		defer reader.Wait()
		defer s.Close()
		reader.Go(func() { l.hear(s) })
		for driver.Wait(ctx, time.Second/90) == nil {
			if err := s.Send([]byte(`{"type":"conv.list","data":{}}`)); err != nil {
				return errCut
			}
		}
		return nil
	}), nil
}
