package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// frame is one text frame of the server.
type frame struct {
	Type string          `json:"type"`
	Msg  string          `json:"msg"`
	Code int             `json:"code"`
	Data json.RawMessage `json:"data"`
	ID   *string         `json:"id"`
	raw  []byte
}

func (f *frame) String() string { return string(f.raw) }

// into decodes the data.
func (f *frame) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(f.Data, v); err != nil {
		t.Fatalf("data: %v in %s", err, f)
	}
}

// message is the data of a msg.new.
func (f *frame) message(t *testing.T) message {
	t.Helper()
	var m message
	f.into(t, &m)
	return m
}

// socket is a client's side of /im/socket. One goroutine reads; frames wait in
// the inbox until they are asked for.
type socket struct {
	conn   net.Conn
	ids    atomic.Int64
	pings  atomic.Int64
	mute   atomic.Bool   // pings are not answered
	readBy chan struct{} // closed when reading has ended

	write sync.Mutex // held while a frame is written

	mu    sync.Mutex
	inbox []*frame // guarded by mu
	news  chan struct{}
	end   error         // why reading ended; guarded by mu
	code  ws.StatusCode // of the close frame; zero: none came; guarded by mu
}

var errClosed = errors.New("the socket is closed")

// dialSocket opens a socket without logging in.
func (s *server) dialSocket() (*socket, error) { return s.dialSocketAs("", nil) }

// dialSocketAs is dialSocket with headers in its handshake, and under another host
// name where one is given.
func (s *server) dialSocketAs(host string, h headers) (*socket, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return dialWith(ctx, ws.Dialer{Header: h.handshake(), Host: host}, "ws://"+s.Addr+"/im/socket")
}

// handshake is h as a WebSocket client sends it.
func (h headers) handshake() ws.HandshakeHeader {
	out := http.Header{}
	for k, v := range h {
		out.Set(k, v)
	}
	return ws.HandshakeHeaderHTTP(out)
}

func dialWith(ctx context.Context, d ws.Dialer, url string) (*socket, error) {
	conn, buffered, _, err := d.Dial(ctx, url)
	if err != nil {
		return nil, err
	}
	var r io.Reader = conn
	if buffered != nil {
		r = io.MultiReader(buffered, conn)
	}
	c := &socket{conn: conn, news: make(chan struct{}, 1), readBy: make(chan struct{})}
	go c.readLoop(r)
	return c, nil
}

func (s *server) socket(t *testing.T) *socket {
	t.Helper()
	c, err := s.dialSocket()
	if err != nil {
		t.Fatalf("dial /im/socket: %v", err)
	}
	t.Cleanup(c.drop)
	return c
}

// drop cuts the connection without a word.
func (c *socket) drop() {
	c.conn.Close()
	<-c.readBy
}

func (c *socket) readLoop(r io.Reader) {
	defer close(c.readBy)
	var text []byte
	for {
		h, err := ws.ReadHeader(r)
		if err != nil {
			c.finish(err)
			return
		}
		payload := make([]byte, h.Length)
		if _, err := io.ReadFull(r, payload); err != nil {
			c.finish(err)
			return
		}
		switch {
		case h.Masked || h.Rsv != 0:
			c.finish(fmt.Errorf("a server frame that RFC 6455 forbids: %+v", h))
			return
		case h.OpCode == ws.OpPing:
			c.pings.Add(1)
			if c.mute.Load() {
				continue
			}
			_ = c.writeFrame(ws.NewPongFrame(payload))
		case h.OpCode == ws.OpClose:
			code, _ := ws.ParseCloseFrameData(payload)
			c.mu.Lock()
			c.code = code
			c.mu.Unlock()
			_ = c.writeFrame(ws.NewCloseFrame(payload))
		case h.OpCode == ws.OpText, h.OpCode == ws.OpContinuation:
			text = append(text, payload...)
			if !h.Fin {
				continue
			}
			f := &frame{raw: text}
			if err := json.Unmarshal(text, f); err != nil {
				c.finish(fmt.Errorf("a frame that is no JSON object: %w in %q", err, text))
				return
			}
			contract.frame(f.Type, text)
			text = nil
			c.mu.Lock()
			c.inbox = append(c.inbox, f)
			c.mu.Unlock()
			c.wake()
		}
	}
}

func (c *socket) finish(err error) {
	c.mu.Lock()
	c.end = err
	c.mu.Unlock()
	c.wake()
}

func (c *socket) wake() {
	select {
	case c.news <- struct{}{}:
	default:
	}
}

func (c *socket) writeFrame(f ws.Frame) error {
	c.write.Lock()
	defer c.write.Unlock()
	if err := c.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	return ws.WriteFrame(c.conn, ws.MaskFrameInPlace(f))
}

// sendText sends one text frame as it stands.
func (c *socket) sendText(text string) error {
	return c.writeFrame(ws.NewTextFrame([]byte(text)))
}

// post sends a command with a new id and does not wait.
func (c *socket) post(typ string, data any) (id string, err error) {
	id = strconv.FormatInt(c.ids.Add(1), 10)
	b, err := json.Marshal(map[string]any{"type": typ, "data": data, "id": id})
	if err != nil {
		return id, err
	}
	return id, c.sendText(string(b))
}

// take removes the first frame that pick accepts from the inbox and returns it,
// waiting for it if need be.
func (c *socket) take(limit time.Duration, pick func(*frame) bool) (*frame, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		c.mu.Lock()
		i := slices.IndexFunc(c.inbox, pick)
		if i >= 0 {
			f := c.inbox[i]
			c.inbox = slices.Delete(c.inbox, i, i+1)
			left := len(c.inbox)
			c.mu.Unlock()
			if left > 0 {
				c.wake()
			}
			return f, nil
		}
		end, code := c.end, c.code
		c.mu.Unlock()
		if end != nil {
			c.wake()
			return nil, fmt.Errorf("%w (%d, %w)", errClosed, code, end)
		}
		select {
		case <-c.news:
		case <-timer.C:
			return nil, fmt.Errorf("nothing in %v", limit)
		}
	}
}

// next is the next frame, whatever it is.
func (c *socket) next(t *testing.T) *frame {
	t.Helper()
	f, err := c.take(patience, func(*frame) bool { return true })
	if err != nil {
		t.Fatalf("next frame: %v", err)
	}
	return f
}

// expect is the next frame of a type; others stay in the inbox.
func (c *socket) expect(t *testing.T, typ string) *frame {
	t.Helper()
	f, err := c.take(patience, func(f *frame) bool { return f.Type == typ })
	if err != nil {
		t.Fatalf("waiting for %s: %v; inbox %v", typ, err, c.pending())
	}
	return f
}

// expectText is the msg.new with a text; msg.new frames before it are dropped.
func (c *socket) expectText(t *testing.T, text string) message {
	t.Helper()
	for {
		if m := c.expect(t, "msg.new").message(t); m.text() == text {
			return m
		}
	}
}

// pending are the frames that nobody has asked for.
func (c *socket) pending() []*frame {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.inbox)
}

// forget empties the inbox.
func (c *socket) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inbox = nil
}

// nothing asserts that no frame of the type has come although a ping sent now is
// answered: what was caused earlier on this node is before the pong.
func (c *socket) nothing(t *testing.T, typ string) {
	t.Helper()
	c.ping(t)
	for _, f := range c.pending() {
		if f.Type == typ {
			t.Errorf("got %s, want no %s", f, typ)
		}
	}
}

func (c *socket) ping(t *testing.T) {
	t.Helper()
	if err := c.sendText(`{"type":"ping"}`); err != nil {
		t.Fatalf("ping: %v", err)
	}
	c.expect(t, "pong")
}

// try sends a command and waits for its answer, in the words of REST.
func (c *socket) try(typ string, data any) (*answer, error) {
	id, err := c.post(typ, data)
	if err != nil {
		return nil, err
	}
	f, err := c.take(patience, func(f *frame) bool { return f.ID != nil && *f.ID == id })
	if err != nil {
		return nil, fmt.Errorf("answer to %s: %w", typ, err)
	}
	return readAnswer(typ, f)
}

// readAnswer holds an answer frame against SPEC 7.
func readAnswer(typ string, f *frame) (*answer, error) {
	a := &answer{Code: f.Code, Message: f.Msg, Data: f.Data, Raw: f.raw}
	switch f.Type {
	case typ + ".success":
		if f.Code != 0 || f.Msg != "success" {
			return a, fmt.Errorf("a success with code %d, msg %q: %s", f.Code, f.Msg, f)
		}
	case typ + ".error", "error":
		if _, known := statusOf[f.Code]; !known || f.Code == 0 {
			return a, fmt.Errorf("an error with code %d: %s", f.Code, f)
		}
		if string(f.Data) != "null" {
			return a, fmt.Errorf("an error with data: %s", f)
		}
		if text, ok := textOf[f.Code]; ok && !strings.HasPrefix(f.Msg, text) {
			return a, fmt.Errorf("msg of code %d does not begin with %q: %s", f.Code, text, f)
		}
		if leak := leaks.FindString(f.Msg); leak != "" {
			return a, fmt.Errorf("%q leaks: %s", leak, f)
		}
	default:
		return a, fmt.Errorf("answer to %s has type %q: %s", typ, f.Type, f)
	}
	return a, nil
}

// ask is try that fails the test when the answer has no right form.
func (c *socket) ask(t *testing.T, typ string, data any) *answer {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		a, err := c.try(typ, data)
		if a == nil {
			t.Fatalf("%s %v: %v", typ, data, err)
		}
		if err != nil {
			t.Error(err)
		}
		if a.Code != 4290 || time.Now().After(deadline) {
			return a
		}
	}
}

// closed waits for the end of the socket and holds its close code against want.
func (c *socket) closed(t *testing.T, want ...ws.StatusCode) {
	t.Helper()
	c.closedWithin(t, patience, want...)
}

func (c *socket) closedWithin(t *testing.T, limit time.Duration, want ...ws.StatusCode) {
	t.Helper()
	select {
	case <-c.readBy:
	case <-time.After(limit):
		t.Fatalf("the socket is open after %v, want it closed with %v; inbox %v", limit, want, c.pending())
	}
	c.mu.Lock()
	code, end := c.code, c.end
	c.mu.Unlock()
	if !slices.Contains(want, code) {
		t.Fatalf("close code: got %d (%v), want %v", code, end, want)
	}
}

// isClosed reports whether the socket has ended, and with which code.
func (c *socket) isClosed() (ws.StatusCode, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.code, c.end != nil
}

// open asserts that the socket still answers.
func (c *socket) open(t *testing.T) {
	t.Helper()
	c.ping(t)
}

// loginData is the data of a login frame.
func (a *app) loginData(client, device string) map[string]any {
	return map[string]any{"app_id": a.ID, "client_id": client, "device_id": device}
}

// tryLogin opens a socket and logs in; with a good token where the app asks for it.
func (a *app) tryLogin(token, client, device string) (*socket, *answer, error) {
	c, err := a.s.dialSocket()
	if err != nil {
		return nil, nil, err
	}
	data := a.loginData(client, device)
	if token != "" {
		data["token"] = token
	}
	ans, err := c.try("login", data)
	return c, ans, err
}

// login opens a socket and logs the client in.
func (a *app) login(t *testing.T, client, device string) *socket {
	t.Helper()
	token := ""
	if a.Secret != "" {
		token = a.token(t, client)
	}
	return a.loginWith(t, token, client, device)
}

func (a *app) loginWith(t *testing.T, token, client, device string) *socket {
	t.Helper()
	c, ans, err := a.tryLogin(token, client, device)
	if c != nil {
		t.Cleanup(c.drop)
	}
	if err != nil {
		t.Fatalf("login of %s: %v", client, err)
	}
	ans.want(t, "login of "+client, 0)
	return c
}
