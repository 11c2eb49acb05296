package e2e

import (
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// failSyncs makes every fsync of the running server fail with EIO, until mend is
// called or the server ends.
func (s *server) failSyncs(t *testing.T) (mend func()) {
	t.Helper()
	asRoot(t, "strace")
	const syncs = "fsync,fdatasync"
	said := &logBuffer{}
	cmd := exec.Command("strace", "-f", "-o", "/dev/null", "-e", "trace="+syncs, "-e", "inject="+syncs+":error=EIO",
		"-p", strconv.Itoa(s.cmd.Process.Pid))
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	mend = func() {
		once.Do(func() {
			_ = cmd.Process.Signal(syscall.SIGINT) // it has ended if the server has
			_ = cmd.Wait()                         // with the signal
		})
	}
	t.Cleanup(mend)
	eventually(t, "strace is attached", func() bool {
		if strings.Contains(said.all(), "Operation not permitted") {
			t.Skipf("strace: %s", said.all())
		}
		return strings.Contains(said.all(), "attached")
	})
	return mend
}

// What could not be synced is not answered for and not delivered. When the disk
// syncs again the server does so too, without a restart. Decision 0007.
func TestFailingSyncsAreNotAnswered(t *testing.T) {
	t.Parallel()
	s := newServer(t.TempDir(), withArgs("--drain", "0s"))
	t.Cleanup(s.end)
	s.Restart(t)
	a := demoApp(s)
	convs := []string{a.group(t, "Tom", "Tom", "Jerry"), a.group(t, "Jerry", "Tom", "Jerry")}
	heard := listen(t, a, "Jerry")
	l, u := newLedger(), newUploads()
	l.during(t, a, u, convs, "100 acks", func() bool { return l.acks.Load() >= 100 })

	mend := s.failSyncs(t)
	s.wantRefusals(t, a, convs[0])
	acked, stored := l.acks.Load(), u.stored()
	l.during(t, a, u, convs, "refusals", func() bool { return l.refused.Load() > 50 && u.refusals() > 5 })
	if got := l.acks.Load(); got != acked {
		t.Errorf("%d messages were answered although nothing could be synced", got-acked)
	}
	if got := u.stored(); got != stored {
		t.Errorf("%d uploads were answered although nothing could be synced", got-stored)
	}
	s.wantReads(t, a, convs[0])
	noLeftovers(t, s)
	l.check(t, a, convs)
	heard.wantAcked(t, l)

	mend()
	l.during(t, a, u, convs, "acks again", func() bool { return l.acks.Load() >= acked+100 && u.stored() > stored })
	l.retry(t, a)
	l.check(t, a, convs)
	u.check(t)
	heard.wantAcked(t, l)

	// Once more, and the process is killed in it.
	mend = s.failSyncs(t)
	refused := l.refused.Load()
	l.during(t, a, u, convs, "refusals", func() bool { return l.refused.Load() > refused+50 })
	s.Kill(t)
	mend()
	s.Restart(t)
	l.retry(t, a)
	l.check(t, a, convs)
	u.check(t)
	wantOnlyOutages(t, s)
}

// during sends and uploads until cond holds.
func (l *ledger) during(t *testing.T, a *app, u *uploads, convs []string, what string, cond func() bool) {
	t.Helper()
	stop := make(chan struct{})
	var running sync.WaitGroup
	defer running.Wait()
	defer close(stop)
	for range 4 {
		running.Go(func() { l.byREST(a, "Tom", convs, stop) })
	}
	running.Go(func() { u.keepOn(t, a, stop) })
	eventually(t, what, cond)
}
