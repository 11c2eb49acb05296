package socket

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"go.uber.org/goleak"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/node"
	table "github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sessions"
	"github.com/skein-im/skein/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeGate accepts the token "good" for every app.
type fakeGate struct {
	settings skein.Settings
	expires  skein.Millis
	banned   bool
	actions  []string     // of the token
	during   func()       // called while the login is being checked
	after    func()       // called after the login was accepted
	rev      atomic.Int64 // of every client

	mu   sync.Mutex
	apps map[string]*skein.App // shared by the sessions of an app, as the real ones are
}

func (g *fakeGate) Login(_ context.Context, in access.Login) (skein.Actor, error) {
	if g.during != nil {
		g.during()
	}
	if in.Token != "good" {
		return skein.Actor{}, skein.ErrUnauthenticated
	}
	if g.banned {
		return skein.Actor{}, skein.ErrBanned
	}
	actor := skein.Actor{App: g.app(in.App), Client: in.Client, Expires: g.expires, Actions: g.actions, Rev: g.rev.Load()}
	if g.after != nil {
		g.after()
	}
	return actor, nil
}

func (g *fakeGate) Current(_ context.Context, by skein.Actor) (bool, error) {
	return by.Rev == g.rev.Load(), nil
}

func (*fakeGate) AllowsOrigin(_ context.Context, _, origin string) bool {
	return origin == "https://shop.com"
}

func (g *fakeGate) app(id string) *skein.App {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.apps[id] == nil {
		g.apps = map[string]*skein.App{id: {ID: id, Settings: g.settings}}
	}
	return g.apps[id]
}

// fakeRegistrar knows everybody but "Nobody".
type fakeRegistrar struct{}

func (fakeRegistrar) Register(_ context.Context, by skein.Actor, _ []byte) error {
	if by.Client == "Nobody" {
		return skein.ErrUnknownClient
	}
	return nil
}

// fakeOps is a table of functions; "echo" answers its data.
type fakeOps map[string]func(ctx context.Context, by skein.Actor, data []byte) ([]byte, error)

func (ops fakeOps) Call(ctx context.Context, by skein.Actor, name string, data []byte) ([]byte, error) {
	if name == "echo" {
		return data, nil
	}
	op, ok := ops[name]
	if !ok {
		return nil, skein.Malformed("type", "is unknown")
	}
	return op(ctx, by, data)
}

// Batches are the ops whose names say so.
func (fakeOps) Batches(name string) bool { return strings.HasPrefix(name, "batch.") }

// CallAll gives a batching op all of its data at once, as a JSON list. It answers a
// list, in which null is refused.
func (ops fakeOps) CallAll(ctx context.Context, by skein.Actor, name string, data [][]byte) []table.Outcome {
	outcomes := make([]table.Outcome, len(data))
	answer, err := ops.Call(ctx, by, name, []byte("["+string(bytes.Join(data, []byte(",")))+"]"))
	var answers []json.RawMessage
	if err == nil {
		err = json.Unmarshal(answer, &answers)
	}
	for i := range outcomes {
		switch {
		case err != nil:
			outcomes[i].Err = err
		case string(answers[i]) == "null":
			outcomes[i].Err = skein.ErrForbidden
		default:
			outcomes[i].Answer = answers[i]
		}
	}
	return outcomes
}

// clock is the server's, moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// sessionStore is the sessions of one process, and no cuts.
type sessionStore struct{ *sessions.Table }

func newSessions() sessionStore {
	return sessionStore{sessions.New(func(context.Context) (int64, error) { return 1, nil }, time.Now)}
}

func (sessionStore) CutsSince(context.Context, store.Watermark, int) ([]skein.Cut, store.Watermark, error) {
	return nil, 0, nil
}

// nobody is told who is online.
type nobody struct{}

func (nobody) Came(string, string)             {}
func (nobody) Left(string, string, bool, bool) {}
func (nobody) Doubt(time.Duration)             {}

// fixture is a server on a loopback port.
type fixture struct {
	hub    *hub.Hub
	node   *node.Node
	socket *Server
	addr   string
	gate   *fakeGate
	ops    fakeOps
	clock  *clock
	log    *strings.Builder
}

// mostWait is how long a test waits for something before it fails. It bounds despair, and is
// no part of what any test promises: a machine may be ten times slower than this one.
const mostWait = time.Minute

// start runs a server that is shut down, with all its goroutines, at the end of
// the test.
func start(t testing.TB, change func(*Options, *hub.Options)) *fixture {
	t.Helper()
	f := &fixture{
		gate:  &fakeGate{settings: skein.Settings{CommandRate: -1}},
		ops:   fakeOps{},
		clock: &clock{now: time.Now()},
		log:   new(strings.Builder),
	}
	hubOpts := hub.Options{KickFrame: func(reason string) []byte { return wire.AppendKick(nil, 1, reason) }}
	opts := Options{Gate: f.gate, Registrar: fakeRegistrar{}, Ops: f.ops, Now: f.clock.Now, MaxPerAddress: -1}
	opts.Log = slog.New(slog.NewTextHandler(f.log, nil))
	if change != nil {
		change(&opts, &hubOpts)
	}
	hubOpts.Left = func(s *hub.Session) { f.node.Left(s) }
	f.hub = hub.New(hubOpts)
	var err error
	if f.node, err = node.New(t.Context(), node.Options{
		Name: "n", Store: newSessions(), Hub: f.hub, Presence: nobody{},
	}); err != nil {
		t.Fatal(err)
	}
	opts.Hub, opts.Node = f.hub, f.node
	f.socket = New(opts)
	web := httptest.NewServer(f.socket)
	f.addr = web.Listener.Addr().String()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), mostWait)
		defer cancel()
		if err := f.socket.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		f.node.Close(ctx)
		web.Close()
	})
	return f
}

// peer is a client that speaks raw frames.
type peer struct {
	t  testing.TB
	nc net.Conn
	r  *bufio.Reader

	count atomic.Int64 // events read, where a test counts them
}

const handshake = "GET /im/socket HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAccept-Language: en\r\n" +
	"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"

// dial shakes hands. early is sent in the same packet.
func (f *fixture) dial(t testing.TB, early ...[]byte) *peer {
	t.Helper()
	nc, err := net.Dial("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	p := &peer{t: t, nc: nc, r: bufio.NewReaderSize(nc, 4096)}
	_ = nc.SetDeadline(time.Now().Add(mostWait)) // a test that hangs fails here
	p.send(append([][]byte{[]byte(handshake)}, early...)...)
	res, err := http.ReadResponse(p.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Fatalf("handshake: %v %v", res.Status, res.Header)
	}
	if ext := res.Header.Get("Sec-WebSocket-Extensions"); ext != "" {
		t.Fatalf("extensions negotiated: %q", ext)
	}
	return p
}

// timedConn is a pipe that records the read deadline of its socket.
type timedConn struct {
	net.Conn

	mu     sync.Mutex
	readBy time.Time
}

func (c *timedConn) SetReadDeadline(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readBy = at
	return c.Conn.SetReadDeadline(at)
}

// deadline is the read deadline; zero: none.
func (c *timedConn) deadline() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.readBy
}

// pipe is a peer on a pipe, whose socket has no file descriptor, as behind TLS.
func (f *fixture) pipe(t testing.TB) (*peer, *timedConn) {
	t.Helper()
	client, server := net.Pipe()
	t.Cleanup(func() { _ = client.Close() })
	nc := &timedConn{Conn: server}
	c := newConn(f.socket, nc, "pipe", 0)
	if direct(c.nc) != nil {
		t.Fatal("a pipe has no file descriptor")
	}
	if err := f.socket.reserve("pipe"); err != nil {
		t.Fatal(err)
	}
	f.socket.open.add(c, func() { f.socket.running.Go(func() { c.serve(nil) }) })
	return &peer{t: t, nc: client, r: bufio.NewReader(client)}, nc
}

func loginData(client, device string) string {
	return fmt.Sprintf(`{"app_id":"shop","client_id":%q,"device_id":%q,"token":"good"}`, client, device)
}

// login is a peer that is logged in.
func (f *fixture) login(t testing.TB, client, device string) *peer {
	t.Helper()
	p := f.dial(t)
	p.say("login", loginData(client, device))
	p.wantType("login.success")
	return p
}

// send writes pieces with one write.
func (p *peer) send(pieces ...[]byte) {
	p.t.Helper()
	var all []byte
	for _, piece := range pieces {
		all = append(all, piece...)
	}
	if _, err := p.nc.Write(all); err != nil {
		p.t.Fatalf("send: %v", err)
	}
}

// say sends a command.
func (p *peer) say(typ, data string) {
	p.t.Helper()
	p.send(text(`{"type":"` + typ + `","data":` + data + `}`))
}

// frameOf is a masked frame.
func frameOf(first byte, payload string) []byte {
	mask := [4]byte{0x12, 0xf4, 0x56, 0x9a}
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n <= 0xffff:
		b = append(b, 0x80|126)
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b = append(b, 0x80|127)
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	b = append(b, mask[:]...)
	body := []byte(payload)
	ws.Cipher(body, mask, 0)
	return append(b, body...)
}

func text(payload string) []byte        { return frameOf(0x81, payload) }
func opening(payload string) []byte     { return frameOf(0x01, payload) }
func more(payload string) []byte        { return frameOf(0x00, payload) }
func last(payload string) []byte        { return frameOf(0x80, payload) }
func pingOf(payload string) []byte      { return frameOf(0x89, payload) }
func pongOf(payload string) []byte      { return frameOf(0x8a, payload) }
func closing(payload string) []byte     { return frameOf(0x88, payload) }
func closeCode(code int) []byte         { return closing(codeBytes(code)) }
func codeBytes(code int) string         { return string(binary.BigEndian.AppendUint16(nil, uint16(code))) }
func unmasked(op byte, s string) []byte { return append([]byte{op, byte(len(s))}, s...) }

// read reads the next frame and describes it: "text …", "ping …", "pong …", "close 1002", or
// "end" when the socket ends without a close frame, "reset" when it is cut.
func (p *peer) read() string {
	h, err := ws.ReadHeader(p.r)
	if err != nil {
		return ending(err)
	}
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(p.r, payload); err != nil {
		return ending(err)
	}
	if !h.Fin || h.Rsv != 0 || h.Masked {
		return fmt.Sprintf("bad header %+v", h)
	}
	switch h.OpCode {
	case ws.OpText:
		return "text " + string(payload)
	case ws.OpPing:
		return "ping " + string(payload)
	case ws.OpPong:
		return "pong " + string(payload)
	case ws.OpClose:
		if len(payload) < 2 {
			return "close"
		}
		return fmt.Sprint("close ", binary.BigEndian.Uint16(payload))
	default:
		return fmt.Sprintf("opcode %x", h.OpCode)
	}
}

func ending(err error) string {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "nothing"
	case errors.Is(err, io.EOF):
		return "end"
	default:
		return "reset"
	}
}

// want fails unless the next frames are these.
func (p *peer) want(frames ...string) {
	p.t.Helper()
	for _, want := range frames {
		if got := p.read(); got != want {
			p.t.Fatalf("got  %s\nwant %s", brief(got), brief(want))
		}
	}
}

// wantEnd fails unless the server closes with the code and then ends the stream.
func (p *peer) wantEnd(code int) {
	p.t.Helper()
	p.want(fmt.Sprint("close ", code), "end")
}

// answer is what a frame of the server holds.
type answer struct {
	Type string          `json:"type"`
	Msg  string          `json:"msg"`
	Code int             `json:"code"`
	Data json.RawMessage `json:"data"`
	ID   *string         `json:"id"`
}

// wantType fails unless the next frame has the type, and is it.
func (p *peer) wantType(typ string) answer {
	p.t.Helper()
	got := p.read()
	var a answer
	body, isText := strings.CutPrefix(got, "text ")
	if err := json.Unmarshal([]byte(body), &a); !isText || err != nil || a.Type != typ {
		p.t.Fatalf("got  %s\nwant type %s", brief(got), typ)
	}
	return a
}

// wantError fails unless the next frame is this error.
func (p *peer) wantError(typ string, code int) answer {
	p.t.Helper()
	a := p.wantType(typ)
	if a.Code != code || string(a.Data) != "null" {
		p.t.Fatalf("got %+v, want code %d and data null", a, code)
	}
	return a
}

// brief shortens a text for a failure message.
func brief(s string) string {
	if len(s) > 200 {
		return fmt.Sprintf("%.200q… (%d bytes)", s, len(s))
	}
	return fmt.Sprintf("%q", s)
}

// echo is a command that is answered with its text, and that answer.
func echo(s string) (command, want string) {
	data := `{"s":"` + s + `"}`
	return `{"type":"echo","data":` + data + `}`, `text {"type":"echo.success","msg":"success","data":` + data + `}`
}
