package socket

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/share"
)

// waiting waits until n goroutines wait at the gate.
func waiting(gate *share.Gate, n int) {
	for gate.Waiting() != n {
		runtime.Gosched()
	}
}

func TestABurstOfOneAppsCommandsLetsAnotherAppsThrough(t *testing.T) {
	const burst = 50
	gate := share.NewGate(1, 0)
	f := start(t, func(o *Options, _ *hub.Options) { o.Work = gate })
	var mu sync.Mutex
	var order []string
	f.ops["work"] = func(_ context.Context, by skein.Actor, _ []byte) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, by.App.ID)
		return []byte("true"), nil
	}
	var loud []*peer
	for i := range burst {
		loud = append(loud, f.login(t, fmt.Sprint("c", i), "phone"))
	}
	calm := f.dial(t)
	calm.say("login", strings.Replace(loginData("Tom", "phone"), "shop", "calm", 1))
	calm.wantType("login.success")

	var pass share.Pass
	pass.Enter(gate, "test")
	for _, p := range loud {
		p.say("work", "{}")
	}
	waiting(gate, burst)
	calm.say("work", "{}")
	waiting(gate, burst+1)
	pass.Leave()
	for _, p := range append(loud, calm) {
		p.wantType("work.success")
	}
	if at := slices.Index(order, "calm"); at > 1 {
		t.Errorf("behind %d commands of the loud app the calm app's came as number %d, want 2 at most", burst, at+1)
	}
}

func TestHandshakesAndLoginsWaitForTheirTurn(t *testing.T) {
	gate := share.NewGate(1, 0)
	f := start(t, func(o *Options, _ *hub.Options) { o.Work = gate })
	checked := false
	f.gate.during = func() { checked = true }
	var pass share.Pass
	pass.Enter(gate, "test")
	var all sync.WaitGroup
	var p *peer
	all.Go(func() { p = f.dial(t) })
	waiting(gate, 1)
	if n := f.socket.Open(); n != 0 {
		t.Errorf("before its turn %d sockets are open, want none", n)
	}
	pass.Leave()
	all.Wait()
	pass.Enter(gate, "test")
	p.say("login", loginData("Tom", "phone"))
	waiting(gate, 1)
	if checked {
		t.Error("a login was checked before its turn")
	}
	pass.Leave()
	p.wantType("login.success")
}

func TestASocketWhoseAnswersAreNotReadKeepsNoPlace(t *testing.T) {
	gate := share.NewGate(1, 0)
	f := start(t, func(o *Options, _ *hub.Options) { o.Work, o.WriteWait = gate, time.Hour })
	called := make(chan struct{})
	f.ops["much"] = func(context.Context, skein.Actor, []byte) ([]byte, error) {
		close(called)
		return []byte(`"` + strings.Repeat("x", 32<<20) + `"`), nil // more than the system keeps for a peer
	}
	slow, other := f.login(t, "Slow", "phone"), f.login(t, "Tom", "phone")
	slow.say("much", "{}")
	<-called
	command, want := echo("hello")
	other.send(text(command))
	other.want(want)
	_ = slow.nc.Close()
}

func TestACommandEndsWithItsSocket(t *testing.T) {
	for name, end := range map[string]func(*fixture, *peer){
		"the peer goes": func(_ *fixture, p *peer) { _ = p.nc.Close() },
		"the peer goes, bytes unread": func(_ *fixture, p *peer) {
			p.say("echo", "{}")
			_ = p.nc.Close()
		},
		"the client is kicked": func(f *fixture, _ *peer) { f.hub.Kick(hub.Target{App: "shop", Client: "Tom"}, skein.KickBanned) },
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS != "linux" && strings.HasPrefix(name, "the peer") {
				return // other platforms cannot ask
			}
			f := start(t, nil)
			begun, ended := make(chan struct{}), make(chan struct{})
			f.ops["query"] = func(ctx context.Context, _ skein.Actor, _ []byte) ([]byte, error) {
				close(begun)
				<-ctx.Done()
				close(ended)
				return nil, ctx.Err()
			}
			p := f.login(t, "Tom", "phone")
			p.say("query", "{}")
			<-begun
			end(f, p)
			<-ended
		})
	}
}

func TestWhatWasSentIsStoredThoughTheSocketEnds(t *testing.T) {
	f := start(t, nil)
	begun, closed := make(chan struct{}), make(chan struct{})
	var after error
	f.ops["batch.send"] = func(ctx context.Context, _ skein.Actor, _ []byte) ([]byte, error) {
		close(begun)
		<-closed
		after = ctx.Err()
		return []byte("[true]"), nil
	}
	p := f.login(t, "Tom", "phone")
	p.say("batch.send", "{}")
	<-begun
	f.hub.Kick(hub.Target{App: "shop", Client: "Tom"}, skein.KickBanned)
	_ = p.nc.Close()
	close(closed)
	for f.socket.Open() != 0 {
		runtime.Gosched()
	}
	if after != nil {
		t.Errorf("its socket was closed, and its context ended with %v, want it to go on", after)
	}
}

func TestMalformedFramesEndASocketSooner(t *testing.T) {
	for name, tt := range map[string]struct {
		frame string
		most  int
	}{
		"malformed":   {`{"type":"echo","data":[}`, mostRefused*10/malformedCost + 20},
		"well formed": {`{"type":"echo","data":{}}`, mostRefused*10 + 20},
	} {
		f := start(t, nil)
		f.gate.settings.CommandRate = 10
		p := f.login(t, "Tom", "phone")
		answered := 0
		for got := ""; !strings.HasPrefix(got, "close"); answered++ {
			p.send(text(tt.frame))
			if got = p.read(); answered > 10*mostRefused*10 {
				t.Fatalf("%s: the socket is still open after %d frames", name, answered)
			}
		}
		if answered > tt.most {
			t.Errorf("%s: the socket was closed after %d frames, want %d at most", name, answered, tt.most)
		}
	}
}
