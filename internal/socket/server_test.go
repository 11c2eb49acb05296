package socket

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/hub"
)

func TestWhatIsNoHandshakeIsAnsweredAsREST(t *testing.T) {
	f := start(t, nil)
	for name, tt := range map[string]struct {
		change       []string // pairs for strings.Replacer
		status, code int
	}{
		"no upgrade":         {[]string{"Upgrade: WebSocket", "X: y"}, 426, 4406},
		"another upgrade":    {[]string{"Upgrade: WebSocket", "Upgrade: h2c"}, 426, 4406},
		"no connection":      {[]string{"keep-alive, Upgrade", "keep-alive"}, 426, 4406},
		"an old version":     {[]string{"Version: 13", "Version: 8"}, 426, 4406},
		"HTTP/1.0":           {[]string{"HTTP/1.1", "HTTP/1.0"}, 426, 4406},
		"a short key":        {[]string{"dGhlIHNhbXBsZSBub25jZQ==", "dGhl"}, 400, 4406},
		"a key that is none": {[]string{"dGhlIHNhbXBsZSBub25jZQ==", "?"}, 400, 4406},
		"a POST":             {[]string{"GET ", "POST "}, 405, 4050},
	} {
		t.Run(name, func(t *testing.T) {
			status, code := f.request(t, strings.NewReplacer(tt.change...).Replace(handshake))
			if status != tt.status || code != tt.code {
				t.Errorf("got %d and code %d, want %d and %d", status, code, tt.status, tt.code)
			}
		})
	}
}

// request sends raw HTTP and returns the status and the code of the envelope.
func (f *fixture) request(t *testing.T, raw string) (status, code int) {
	t.Helper()
	nc, err := net.Dial("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = nc.Close() }()
	if _, err := nc.Write([]byte(raw)); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var envelope struct{ Code int }
	if err := json.NewDecoder(res.Body).Decode(&envelope); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, envelope.Code
}

func TestSocketsOfOneAddressAreCounted(t *testing.T) {
	f := start(t, func(o *Options, _ *hub.Options) { o.MaxPerAddress = 2 })
	first := f.dial(t)
	f.dial(t)
	waitFor(t, func() bool { return f.socket.open.size() == 2 }) // the server adds a socket after its handshake
	if status, code := f.request(t, handshake); status != 429 || code != 4290 {
		t.Errorf("the third: %d and code %d, want 429 and 4290", status, code)
	}
	first.send(closeCode(1000))
	first.wantEnd(1000)
	_ = first.nc.Close()
	waitFor(t, func() bool { return f.socket.open.size() == 1 })
	f.dial(t)
}

// waitFor waits for a condition that another goroutine makes true.
func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(mostWait); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it never happened")
		}
	}
}

// A process that gets no processor for a second must not take that for a peer that does not read.
const shortWriteWait = 3 * time.Second

func TestAPeerThatDoesNotReadIsClosedAndHurtsNoOther(t *testing.T) {
	t.Parallel()
	f := start(t, func(o *Options, _ *hub.Options) { o.WriteWait = shortWriteWait })
	slow, quick := f.login(t, "Tom", "slow"), f.login(t, "Tom", "quick")
	event := fmt.Appendf(nil, `{"type":"msg.new","data":%q}`, strings.Repeat("x", 10_000))
	const events = 2000 // 20 MB: more than the kernel holds for a socket
	go func() {
		for sent := 0; sent < events; {
			for range 10 { // the quick one keeps up with its outbox
				f.hub.Deliver("shop", "Tom", event, hub.Except{})
				sent++
			}
			for quick.count.Load() < int64(sent) {
				runtime.Gosched()
			}
		}
	}()
	for i := range events {
		if got := quick.read(); got != "text "+string(event) {
			t.Fatalf("event %d: %s", i, brief(got))
		}
		quick.count.Add(1)
	}
	waitFor(t, func() bool { return f.hub.Sessions() == 1 })
	var got string
	for got = slow.read(); strings.HasPrefix(got, "text "); got = slow.read() {
	}
	if got != "end" && got != "reset" && got != "close 4508" {
		t.Errorf("the slow one ended with %s", brief(got))
	}
	quick.send(pingOf("x"))
	quick.want("pong x")
}

func TestASlowReaderThatReadsOnIsToldWhy(t *testing.T) {
	f := start(t, func(_ *Options, o *hub.Options) { o.OutboxBytes = 1 << 20 })
	p := f.login(t, "Tom", "phone")
	event := fmt.Appendf(nil, `{"type":"msg.new","data":%q}`, strings.Repeat("x", 100_000))
	for f.hub.Deliver("shop", "Tom", event, hub.Except{}) > 0 {
	}
	var got string
	for got = p.read(); strings.HasPrefix(got, "text "); got = p.read() {
	}
	if got != "close 4508" {
		t.Errorf("ended with %s, want close 4508", brief(got))
	}
}

func TestAPeerThatSendsButNeverReadsIsClosed(t *testing.T) {
	t.Parallel()
	f := start(t, func(o *Options, _ *hub.Options) { o.WriteWait = shortWriteWait })
	p := f.login(t, "Tom", "phone")
	command, _ := echoOfSize(60_000)
	for {
		if _, err := p.nc.Write(text(command)); err != nil {
			break
		}
	}
	waitFor(t, func() bool { return f.hub.Sessions() == 0 })
}

// The heartbeat leaves the peer seconds to answer the first ping; the hub's tests check the times.
func TestTheServerPings(t *testing.T) {
	t.Parallel()
	f := start(t, func(_ *Options, o *hub.Options) { o.Heartbeat = 4 * time.Second })
	p := f.login(t, "Tom", "phone")
	p.want("ping ")
	p.send(pongOf(""))
	p.want("ping ")
}

func TestASilentPeerIsDropped(t *testing.T) {
	f := start(t, func(_ *Options, o *hub.Options) { o.Heartbeat = 500 * time.Millisecond })
	p := f.login(t, "Tom", "phone")
	got := p.read()
	for got == "ping " {
		got = p.read()
	}
	if got != "close 4504" {
		t.Errorf("got %s, want close 4504", got)
	}
}

func TestASocketThatVanishesEndsItsSession(t *testing.T) {
	f := start(t, nil)
	for name, vanish := range map[string]func(*peer){
		"by an end of stream":                func(p *peer) { _ = p.nc.Close() },
		"by a reset":                         func(p *peer) { _ = p.nc.(*net.TCPConn).SetLinger(0); _ = p.nc.Close() },
		"by an end of stream behind a frame": func(p *peer) { p.send(pongOf("")); _ = p.nc.(*net.TCPConn).CloseWrite() },
		"within a frame":                     func(p *peer) { p.send(text("hello")[:7]); _ = p.nc.Close() },
		"within a message":                   func(p *peer) { p.send(opening("hello")); _ = p.nc.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			p := f.login(t, "Tom", "phone")
			vanish(p)
			waitFor(t, func() bool { return f.hub.Sessions() == 0 && f.socket.open.size() == 0 })
		})
	}
}

func TestAShutdownClosesAllAndLetsCommandsFinish(t *testing.T) {
	f := start(t, nil)
	running, finish := make(chan struct{}), make(chan struct{})
	f.ops["slow"] = func(context.Context, skein.Actor, []byte) ([]byte, error) {
		close(running)
		<-finish
		return []byte(`{}`), nil
	}
	finishOnce := sync.OnceFunc(func() { close(finish) })
	defer finishOnce() // also when the test fails
	busy, idle, stranger := f.login(t, "Tom", "busy"), f.login(t, "Tom", "idle"), f.dial(t)
	busy.send(text(`{"type":"slow"}`))
	<-running
	stranger.send(pingOf("here"))
	stranger.want("pong here")

	down := make(chan error)
	go func() { down <- f.socket.Shutdown(t.Context()) }()
	idle.wantEnd(1001)
	if status, code := f.request(t, handshake); status != 503 || code != 5030 {
		t.Errorf("a new socket: %d and code %d, want 503 and 5030", status, code)
	}
	stranger.say("login", loginData("Jerry", "phone"))
	stranger.wantError("login.error", 5030)
	finishOnce()
	busy.wantType("slow.success")
	busy.wantEnd(1001)
	stranger.wantEnd(1001)
	for _, p := range []*peer{busy, idle, stranger} {
		_ = p.nc.Close()
	}
	if err := <-down; err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

func TestAShutdownCutsWhoeverIsLeft(t *testing.T) {
	f := start(t, nil)
	running := make(chan struct{})
	f.ops["stuck"] = func(ctx context.Context, _ skein.Actor, _ []byte) ([]byte, error) {
		close(running)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	p := f.login(t, "Tom", "phone")
	p.send(text(`{"type":"stuck"}`))
	<-running
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := f.socket.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a deadline exceeded", err)
	}
}

func TestSocketsWithoutAFileDescriptorWorkToo(t *testing.T) {
	f := start(t, nil)
	p, _ := f.pipe(t)
	p.say("login", loginData("Tom", "phone"))
	p.wantType("login.success")
	big := bytes.Repeat([]byte("x"), 200_000)
	f.hub.Deliver("shop", "Tom", big, hub.Except{})
	p.want("text " + string(big))
	go p.send(closeCode(1000)) // a pipe holds nothing: both ends write
	p.want("close 1000")
	_ = p.nc.Close()
}
