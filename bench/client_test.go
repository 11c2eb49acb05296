package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws"
)

// client is a logged-in socket.
type client struct {
	tb   testing.TB
	conn net.Conn
	in   *bufio.Reader
	buf  []byte
}

func (s *server) login(id string) *client {
	s.tb.Helper()
	conn, br, _, err := ws.Dial(context.Background(), "ws://"+s.addr+"/im/socket")
	if err != nil {
		s.tb.Fatal(err)
	}
	if br == nil {
		br = bufio.NewReaderSize(conn, 4096)
	}
	c := &client{tb: s.tb, conn: conn, in: br}
	s.tb.Cleanup(func() { _ = conn.Close() })
	c.write([]byte(`{"type":"login","data":{"app_id":"666666","client_id":"` + id + `","device_id":"d"}}`))
	if got := c.read(); !bytes.HasPrefix(got, []byte(`{"type":"login.success"`)) {
		s.tb.Fatalf("login of %s: %s", id, got)
	}
	return c
}

// write sends one text frame.
func (c *client) write(payload []byte) {
	if err := c.send(ws.NewTextFrame(bytes.Clone(payload))); err != nil {
		c.tb.Error(err)
	}
}

// send masks the frame in its place.
func (c *client) send(frame ws.Frame) error {
	var out bytes.Buffer
	if err := ws.WriteFrame(&out, ws.MaskFrameInPlace(frame)); err != nil {
		return err
	}
	_, err := c.conn.Write(out.Bytes())
	return err
}

// read is the next text frame; pings are answered. The bytes are good until the next
// read. nil: the socket is over.
func (c *client) read() []byte {
	for {
		h, err := ws.ReadHeader(c.in)
		if err != nil {
			return nil
		}
		if int64(cap(c.buf)) < h.Length {
			c.buf = make([]byte, h.Length)
		}
		c.buf = c.buf[:h.Length]
		if _, err := io.ReadFull(c.in, c.buf); err != nil {
			return nil
		}
		switch h.OpCode {
		case ws.OpText:
			return c.buf
		case ws.OpPing:
			_ = c.send(ws.NewPongFrame(bytes.Clone(c.buf))) // the next read says whether the socket is over
		}
	}
}

// backend keeps as many connections as there are calls at once.
var backend = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callsAtOnce}}

const callsAtOnce = 16

// call makes a REST call as the demo app's backend and is its data.
func (s *server) call(method, path, body string) json.RawMessage {
	s.tb.Helper()
	req, err := http.NewRequest(method, "http://"+s.addr+path, strings.NewReader(body))
	if err != nil {
		s.tb.Fatal(err)
	}
	req.Header.Set("app-id", "666666")
	req.Header.Set("app-key", "master")
	req.Header.Set("Content-Type", "application/json")
	resp, err := backend.Do(req)
	if err != nil {
		s.tb.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Code    int             `json:"code"`
		Message string          `json:"message"`
		Data    json.RawMessage `json:"data"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Code != 0 {
		s.tb.Fatalf("%s %s: %d %s %v", method, path, answer.Code, answer.Message, err)
	}
	return answer.Data
}

// conversation makes one of the clients and is its id.
func (s *server) conversation(convType int, clients ...string) string {
	s.tb.Helper()
	others, _ := json.Marshal(clients[1:])
	data := s.call("POST", "/im/conversations", fmt.Sprintf(`{"client_id":%q,"to_client_ids":%s,"conv_type":%d}`, clients[0], others, convType))
	var made struct {
		ConvID string `json:"conv_id"`
	}
	if err := json.Unmarshal(data, &made); err != nil {
		s.tb.Fatal(err)
	}
	return made.ConvID
}

// users registers n clients, prefix0 …, some at a time, which share a commit.
func (s *server) users(prefix string, n int) []string {
	s.tb.Helper()
	ids := make([]string, n)
	var all sync.WaitGroup
	for from := range callsAtOnce {
		all.Go(func() {
			for i := from; i < n; i += callsAtOnce {
				ids[i] = fmt.Sprintf("%s%d", prefix, i)
				s.call("POST", "/im/users", `{"client_id":"`+ids[i]+`"}`)
			}
		})
	}
	all.Wait()
	if s.tb.Failed() {
		s.tb.FailNow()
	}
	return ids
}

// sendWindow sends total commands with at most window unanswered.
func (c *client) sendWindow(command []byte, total, window int) {
	for sent, got := 0, 0; got < total; {
		for sent < total && sent-got < window {
			c.write(command)
			sent++
		}
		frame := c.read()
		if frame == nil {
			c.tb.Errorf("socket over after %d answers of %d", got, total)
			return
		}
		if bytes.HasPrefix(frame, answered) {
			got++
		} else if bytes.HasPrefix(frame, failed) {
			c.tb.Errorf("answer %d: %s", got, frame)
			return
		}
	}
}

// text is a message of 100 bytes, as a socket command.
func text(conv string) []byte {
	return []byte(`{"type":"msg.send","id":"1","data":{"conv_id":"` + conv + `","type":-1,"text":"` + strings.Repeat("x", 100) + `"}}`)
}

// What frames begin with.
var (
	answered = []byte(`{"type":"msg.send.success"`)
	failed   = []byte(`{"type":"msg.send.error"`)
)
