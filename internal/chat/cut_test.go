package chat

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/skein-im/skein"
)

// cuts hears the cuts alone.
type cuts struct {
	noEvents

	heard []skein.Cut
}

type noEvents struct{}

func (noEvents) RingAll(string, skein.ID, int64, int64) {}
func (noEvents) Say(skein.Committed)                    {}
func (noEvents) Tell(skein.Notice)                      {}

func (c *cuts) Cut(cut skein.Cut) { c.heard = append(c.heard, cut) }

// A login that begins while the cut is being stored may have been judged by what
// held before; one that begins when the cut is on its way has not.
func TestACutIsForTheLoginsThatBeganBeforeItsCommit(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	f.register(f.shop, "Ann", "Ben", "Cem")
	var clock atomic.Int64
	clock.Store(int64(start))
	heard := &cuts{}
	s := New(Options{Store: f.store, Events: heard, Now: func() time.Time { return time.UnixMilli(clock.Add(1000)) }})
	f.must(s.Logout(t.Context(), f.backend(), "Ann", "phone"))
	f.must(s.Ban(t.Context(), f.backend(), "Ben", skein.Forever, ""))
	f.must(second(s.DeleteUser(t.Context(), f.backend(), "Cem", false)))
	ann, err := s.User(t.Context(), f.backend(), "Ann")
	f.must(err)
	// The clock moves with each look: the stored moment, then that of the cut.
	wantEqual(f, "the stored cut", ann.CutOf("phone"), start.Add(time.Second))
	wantEqual(f, "cuts", heard.heard, []skein.Cut{
		{App: "shop", Client: "Ann", Device: "phone", Reason: skein.KickLoggedOut, Rev: 2},
		{App: "shop", Client: "Ben", Reason: skein.KickBanned, Rev: 2},
		{App: "shop", Client: "Cem", Reason: skein.KickDeleted, Rev: 2},
	})
}
