package e2e

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
)

// What kill -9 must not lose must not be lost either when the machine loses its power at any moment: what a
// sync has not brought to the disk by then is gone.
func TestPowerCutLosesNoAck(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	rounds := 4
	if testing.Short() {
		rounds = 2
	}
	s := newServer(d.dir+"/data", withArgs("--drain", "0s"))
	t.Cleanup(s.end)
	s.Restart(t)
	a := demoApp(s)
	senders := []string{"Tom", "Jerry", "Alex", "Iron"}
	convs := []string{a.group(t, "Tom", senders...), a.group(t, "Jerry", senders...)}
	l, u := newLedger(), newUploads()
	for round := range rounds {
		from := s.log.len()
		stop := make(chan struct{})
		var running sync.WaitGroup
		for i, sender := range senders {
			running.Go(func() { l.bySocket(a, sender, fmt.Sprint("device", i), convs) })
		}
		running.Go(func() { l.byREST(a, "Tom", convs, stop) })
		running.Go(func() { u.keepOn(t, a, stop) })
		target := l.acks.Load() + int64(100+rand.IntN(600))
		stored := u.stored()
		eventually(t, fmt.Sprintf("%d acks and an upload", target), func() bool {
			return l.acks.Load() >= target && u.stored() > stored
		})
		s.inspect(t, from) // from here on it may complain
		// A machine without power answers nobody. This one still runs, and a sync that
		// was under way may succeed in it without having reached the disk: ext4 asks
		// whether it was shut down only when a sync begins.
		l.ignore.Store(true)
		u.ignore.Store(true)
		d.cut(t)
		s.Kill(t)
		close(stop)
		running.Wait()
		l.ignore.Store(false)
		u.ignore.Store(false)

		d.back(t)
		from = s.log.len()
		s.Restart(t)
		l.retry(t, a)
		l.check(t, a, convs)
		u.check(t)
		acked, open := l.counts()
		t.Logf("round %d: %d acked, %d without an ack, %d files", round+1, acked, open, u.stored())
		// The next round begins with a log that was moved into the file.
		s.Stop(t)
		s.inspect(t, from)
		s.Restart(t)
	}
}
