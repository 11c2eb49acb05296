package driver

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
)

// KeepAlive is one HTTP connection of the generator, which must not cost more than
// the server it shares the machine with.
type KeepAlive struct {
	conn net.Conn
	in   *bufio.Reader
	Out  []byte
	body bytes.Buffer
}

// KeepAlives opens some; they end with ctx, or with the call of end.
func (h *Host) KeepAlives(ctx context.Context, n int) (all []*KeepAlive, end func(), err error) {
	closing := func() {
		for _, k := range all {
			_ = k.conn.Close() // nobody waits for what is lost with it
		}
	}
	for i := range n {
		conn, err := h.From.Dial(ctx, "tcp", h.At(i).Addr)
		if err != nil {
			closing()
			return nil, nil, err
		}
		all = append(all, &KeepAlive{conn: conn, in: bufio.NewReader(conn)})
	}
	stop := context.AfterFunc(ctx, closing)
	return all, func() { stop(); closing() }, nil
}

// Head begins a request up to its own headers.
func (h *Host) Head(method, path string) string {
	head := method + " " + path + " HTTP/1.1\r\nHost: " + h.Addr + "\r\napp-id: " + h.App + "\r\n"
	if h.Key != "" {
		head += "app-key: " + h.Key + "\r\n"
	}
	return head
}

// Do sends what is in out and reads the answer; its body is good until the next call.
func (k *KeepAlive) Do() ([]byte, error) {
	if _, err := k.conn.Write(k.Out); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(k.in, nil)
	if err != nil {
		return nil, err
	}
	k.body.Reset()
	_, err = io.Copy(&k.body, resp.Body)
	_ = resp.Body.Close() // it was only read
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %s", resp.StatusCode, k.body.Bytes())
	}
	return k.body.Bytes(), err
}
