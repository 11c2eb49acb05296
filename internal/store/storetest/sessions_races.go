package storetest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/skein-im/skein/internal/store"
)

// race lets n logins enter at the same time, on two nodes by turns, and answers the
// generations of those that were let in and the ids of those that were displaced.
func (f *fixture) race(n int, of func(i int) store.Login) (entered map[string]int64, displaced map[string]int) {
	f.Helper()
	var mu sync.Mutex
	entered, displaced = map[string]int64{}, map[string]int{}
	f.together(n, func(i int) error {
		l := of(i)
		as, err := f.EnterSession(f.Context(), l)
		mu.Lock()
		defer mu.Unlock()
		if _, superseded := errors.AsType[*store.Superseded](err); superseded {
			return nil
		}
		if err == nil {
			entered[l.ID] = as.Generation
			for _, d := range as.Displaced {
				displaced[d.ID]++
			}
		}
		return err
	})
	return entered, displaced
}

func racingLogins(f *fixture) {
	const n = 2000
	f.node("one")
	f.node("two")
	entered, displaced := f.race(n, func(i int) store.Login { return login([]string{"one", "two"}[i%2], "phone", i) })
	left, err := f.SessionsOf(f.Context(), "shop", []string{"Tom"})
	f.must(err)
	if len(left) != 1 {
		f.Fatalf("sessions of one device: got %s, want one", words(left))
	}
	for id, generation := range entered {
		want := 1
		if id == left[0].ID {
			want = 0
		}
		equal(f, "how often "+id+" was displaced", displaced[id], want)
		if generation > left[0].Generation && want == 1 && newerOnly(left[0], id) {
			f.Fatalf("session %s with generation %d is gone, %+v is left", id, generation, left[0])
		}
	}
	equal(f, "displaced", len(displaced), len(entered)-1)
}

// newerOnly reports whether the session with the id is on another node than s: there
// the generation alone decides.
func newerOnly(s store.Session, id string) bool {
	var n int
	_, _ = fmt.Sscanf(id, "%x", &n)
	return []string{"one", "two"}[n%2] != s.Node
}

func racingDevices(f *fixture) {
	const n, limit = 1000, 7
	f.node("one")
	f.node("two")
	entered, displaced := f.race(n, func(i int) store.Login {
		l := login([]string{"one", "two"}[i%2], fmt.Sprint("d", i), i)
		l.MaxDevices = limit
		return l
	})
	left, err := f.SessionsOf(f.Context(), "shop", []string{"Tom"})
	f.must(err)
	equal(f, "sessions left", len(left), limit)
	for _, s := range left {
		equal(f, "how often "+s.ID+", which is left, was displaced", displaced[s.ID], 0)
	}
	equal(f, "displaced", len(displaced), len(entered)-limit)
}
