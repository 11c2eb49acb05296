package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/testclient"
)

// frame is one text frame of the server.
type frame testclient.Frame

func (f *frame) String() string { return string(f.Raw) }

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

// socket is a client's side of /im/socket. Frames wait until a test asks for them; each
// is held against the published schema.
type socket struct{ *testclient.Session }

// dialSocket opens a socket without logging in.
func (s *server) dialSocket() (*socket, error) { return s.dialSocketAs("", nil) }

// dialSocketAs is dialSocket with headers in its handshake, and under another host
// name where one is given.
func (s *server) dialSocketAs(host string, h headers) (*socket, error) {
	return dialWith(testclient.URL(s.Addr), testclient.Options{Host: host, Header: h.http()})
}

// http is h as net/http has it.
func (h headers) http() http.Header {
	out := http.Header{}
	for k, v := range h {
		out.Set(k, v)
	}
	return out
}

func dialWith(url string, o testclient.Options) (*socket, error) {
	c, err := dialConn(url, o)
	if err != nil {
		return nil, err
	}
	return &socket{testclient.NewSession(c, func(f *testclient.Frame) { contract.frame(f.Type, f.Raw) })}, nil
}

func dialConn(url string, o testclient.Options) (*testclient.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := testclient.Dial(ctx, url, o)
	if err == nil {
		c.WriteWait = patience
	}
	return c, err
}

func (s *server) socket(t *testing.T) *socket {
	t.Helper()
	c, err := s.dialSocket()
	if err != nil {
		t.Fatalf("dial /im/socket: %v", err)
	}
	t.Cleanup(c.Drop)
	return c
}

// sendText sends one text frame unchanged.
func (c *socket) sendText(text string) error { return c.Conn.Send([]byte(text)) }

// take removes the first frame that pick accepts, waiting for it if need be.
func (c *socket) take(limit time.Duration, pick func(*frame) bool) (*frame, error) {
	f, err := c.Take(limit, func(f *testclient.Frame) bool { return pick((*frame)(f)) })
	return (*frame)(f), err
}

// next returns the next frame of any type.
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
		t.Fatalf("waiting for %s: %v; inbox %v", typ, err, c.Pending())
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

// pending are the frames that nobody has taken.
func (c *socket) pending() (all []*frame) {
	for _, f := range c.Pending() {
		all = append(all, (*frame)(f))
	}
	return all
}

// forget drops the frames that nobody has taken.
func (c *socket) forget() { c.Forget(func(*testclient.Frame) bool { return true }) }

// nothing asserts that no frame of the type has come although a ping sent now is
// answered: what was caused earlier on this node is before the pong.
func (c *socket) nothing(t *testing.T, typ string) {
	t.Helper()
	c.ping(t)
	for _, f := range c.Pending() {
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
	f, err := c.Ask(typ, data, patience)
	if err != nil {
		return nil, err
	}
	return readAnswer(typ, (*frame)(f))
}

// readAnswer checks the form that every answer frame has.
func readAnswer(typ string, f *frame) (*answer, error) {
	a := &answer{Code: f.Code, Message: f.Msg, Data: f.Data, Raw: f.Raw}
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

// closed waits for the end of the socket and holds its close code against want; 0 is
// an end without a close frame.
func (c *socket) closed(t *testing.T, want ...int) {
	t.Helper()
	select {
	case <-c.Ended():
	case <-time.After(patience):
		t.Fatalf("the socket is open after %v, want it closed with %v; inbox %v", patience, want, c.Pending())
	}
	if code, err := c.End(); !slices.Contains(want, code) {
		t.Fatalf("close code: got %d (%v), want %v", code, err, want)
	}
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
		t.Cleanup(c.Drop)
	}
	if err != nil {
		t.Fatalf("login of %s: %v", client, err)
	}
	ans.want(t, "login of "+client, 0)
	return c
}
