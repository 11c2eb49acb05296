package rest

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/skein-im/skein/internal/share"
)

func TestACallWaitsForItsTurnAndItsBodyDoesNot(t *testing.T) {
	gate := share.NewGate(1, 0)
	f := newFixture(t, func(o *Options) { o.Work = gate })
	var pass share.Pass
	pass.Enter(gate, "test")
	var all sync.WaitGroup
	var got answer
	all.Go(func() { got = f.call("GET", "/im/users/Tom", "") })
	for gate.Waiting() != 1 {
		runtime.Gosched()
	}
	pass.Leave()
	all.Wait()
	f.want("a call whose turn came", got, 200, 0)

	slow := f.drip("POST", "/im/users", "Content-Type: application/json", `{"client_id":`, "App-Key: master")
	f.eventually("its body is awaited", func() bool { return f.server.held.bodies.Taken() > 0 })
	f.want("a call beside a body that does not come", f.call("GET", "/im/users/Tom", ""), 200, 0)
	_ = slow
}

// endless is a body that never ends and never comes.
type endless struct{ read, release chan struct{} }

func (e endless) Read([]byte) (int, error) {
	close(e.read)
	<-e.release
	return 0, io.EOF
}

func (endless) Close() error { return nil }

func TestRefusedBodiesOfOneAddressAreReadToTheirEndSomeAtATime(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Limits.Drains = 4 })
	var all sync.WaitGroup
	release := make(chan struct{})
	refuse := func(addr string) (read chan struct{}, done chan struct{}) {
		read, done = make(chan struct{}), make(chan struct{})
		r := f.request("POST", "/nowhere", strings.Repeat("x", 10))
		r.ContentLength, r.Body, r.RemoteAddr = 1<<30, endless{read, release}, addr+":1"
		all.Go(func() { f.server.ServeHTTP(&desk{header: http.Header{}}, r); close(done) })
		return read, done
	}
	for range 2 { // half of the places
		read, _ := refuse("192.0.2.1")
		<-read
	}
	read, done := refuse("192.0.2.1")
	select {
	case <-done:
	case <-read:
		t.Error("a third body of one address is read, want two of four places for it")
	}
	read, _ = refuse("192.0.2.2")
	<-read // or the test never ends
	close(release)
	all.Wait()
	if n := f.server.held.drains.Taken(); n != 0 {
		t.Errorf("in the end %d places are taken", n)
	}
}

func TestACallerWhoPipelinesLetsOthersRunBetweenTwoCalls(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	f := newFixture(t, nil)
	const calls = 100
	var ran atomic.Int64
	between := 0 // calls after which another goroutine has run
	for i := range calls {
		r := f.request("GET", "/nowhere", "")
		go ran.Store(int64(i + 1))
		f.server.ServeHTTP(&desk{header: http.Header{}}, r)
		if ran.Load() == int64(i+1) {
			between++
		}
	}
	if between < calls/2 {
		t.Errorf("others ran during %d of %d calls, want more than half", between, calls)
	}
}
