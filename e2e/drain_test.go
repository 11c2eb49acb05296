package e2e

import (
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"testing"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	s := devServer.get(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, body := s.probe(path); status != http.StatusOK {
			t.Errorf("GET %s without headers: got %d %s, want 200", path, status, body)
		}
	}
}

func TestAdminAddressAloneServesMetricsAndPprof(t *testing.T) {
	t.Parallel()
	s := devServer.get(t)
	for _, path := range []string{"/metrics", "/debug/pprof/"} {
		if res, _ := fetch(t, "http://"+s.Admin+path, nil); res.StatusCode != http.StatusOK {
			t.Errorf("GET %s on the admin address: got %s, want 200", path, res.Status)
		}
		if status, _ := s.probe(path); status != http.StatusNotFound {
			t.Errorf("GET %s on the public address: got %d, want 404", path, status)
		}
	}
}

// A restart under load loses no ack and costs clients a reconnect.
func TestDrainUnderLoad(t *testing.T) {
	t.Parallel()
	s := start(t, withArgs("--drain", "2s"))
	a := demoApp(s)
	senders := []string{"Tom", "Jerry", "Alex"}
	convs := []string{a.group(t, "Tom", senders...)}
	var idle []*socket
	for i := range 20 {
		idle = append(idle, a.login(t, "1111", fmt.Sprint("d", i%10)))
	}
	idle = idle[10:] // the newer logins of the same ten devices
	loggedOut := s.socket(t)
	l := newLedger()
	var running sync.WaitGroup
	for i, from := range senders {
		running.Go(func() { l.bySocket(a, from, fmt.Sprint("device", i), convs) })
	}
	stop := make(chan struct{})
	running.Go(func() { l.byREST(a, "Tom", convs, stop) })
	eventually(t, "100 acks", func() bool { return l.acks.Load() >= 100 })

	s.Term(t)
	eventually(t, "/readyz says 503 while draining", func() bool {
		select {
		case <-s.done:
			return true // it was quicker than we
		default:
		}
		status, _ := s.probe("/readyz")
		return status == http.StatusServiceUnavailable
	})
	if status, _ := s.probe("/healthz"); status != http.StatusOK {
		select {
		case <-s.done: // it was quicker than we
		default:
			t.Errorf("/healthz while draining: got %d, want 200", status)
		}
	}
	// No new logins: an error, or the socket closed as the others.
	if ans, err := loggedOut.try("login", a.loginData("2", "x")); err == nil && ans.Code == 0 {
		t.Errorf("login while draining: got %s, want it refused", ans)
	}
	for _, c := range idle {
		c.closed(t, 1001)
	}
	if code := s.Wait(t, 2*patience); code != 0 {
		t.Errorf("exit code: got %d, want 0", code)
	}
	close(stop)
	running.Wait()
	httpClient.CloseIdleConnections()

	s.Restart(t)
	l.check(t, a, convs)
	acked, open := l.counts()
	t.Logf("%d acked, %d without an ack", acked, open)
	l.retry(t, a)
	l.check(t, a, convs)
}

func TestSIGINTDrainsToo(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := demoApp(s).login(t, "Tom", "d")
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	c.closed(t, 1001)
	if code := s.Wait(t, 2*patience); code != 0 {
		t.Errorf("exit code: got %d, want 0", code)
	}
}

func TestSecondSIGTERMExitsAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, withArgs("--drain", "10m"))
	a := demoApp(s)
	conv := a.group(t, "Tom", "Jerry")
	for i := range 10 {
		a.login(t, "Tom", fmt.Sprint("d", i))
		a.login(t, "Jerry", fmt.Sprint("d", i))
	}
	sent := a.send(t, conv, "Tom", "before the end")
	s.Term(t)
	eventually(t, "draining", func() bool {
		status, _ := s.probe("/readyz")
		return status == http.StatusServiceUnavailable
	})
	s.Term(t)
	s.Wait(t, patience) // of ten minutes
	httpClient.CloseIdleConnections()
	s.Restart(t)
	if h := a.history(t, conv); len(h) != 1 || h[0].MsgID != sent.text("msg_id") {
		t.Errorf("history: got %+v, want %s alone", h, sent)
	}
}
