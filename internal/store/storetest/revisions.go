package storetest

import (
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// cutsSince reads all cuts behind a watermark, two at a time.
func (f *fixture) cutsSince(after store.Watermark) (all []skein.Cut, next store.Watermark) {
	f.Helper()
	for {
		cuts, next, err := f.CutsSince(f.Context(), after, 2)
		f.must(err)
		if after = next; len(cuts) == 0 {
			return all, next
		}
		all = append(all, cuts...)
	}
}

func (f *fixture) client(app, id string) skein.Client {
	f.Helper()
	c, err := f.Client(f.Context(), app, id)
	f.must(err)
	return c
}

func (f *fixture) updateClient(app, id string, change func(*skein.Client)) skein.Client {
	f.Helper()
	c, err := f.UpdateClient(f.Context(), app, id, func(c *skein.Client) error {
		change(c)
		return nil
	})
	f.must(err)
	return c
}

var revisions = []check{
	{"a client's rev grows by one with every change, its deletion and its return", func(f *fixture) {
		f.app("shop", "ann")
		steps := []struct {
			name string
			do   func() int64
			want int64
		}{
			{"created", func() int64 { return f.client("shop", "ann").Rev }, 1},
			{"banned", func() int64 { return f.updateClient("shop", "ann", func(c *skein.Client) { c.BannedUntil = 5 }).Rev }, 2},
			{"banned the same", func() int64 { return f.updateClient("shop", "ann", func(c *skein.Client) { c.BannedUntil = 5 }).Rev }, 2},
			{"cut", func() int64 { return f.updateClient("shop", "ann", func(c *skein.Client) { c.Cut = 6 }).Rev }, 3},
			{"a device cut", func() int64 {
				return f.updateClient("shop", "ann", func(c *skein.Client) { c.DeviceCuts = map[string]skein.Millis{"pad": 7} }).Rev
			}, 4},
			{"seen", func() int64 {
				f.must(f.MarkSeen(f.Context(), []skein.Sighting{{App: "shop", Client: "ann", At: start}}))
				return f.client("shop", "ann").Rev
			}, 4},
			{"deleted", func() int64 {
				_, rev, err := f.DeleteClient(f.Context(), "shop", "ann", f.now(), false)
				f.must(err)
				return rev
			}, 5},
			{"created anew", func() int64 {
				f.clients("shop", "ann")
				return f.client("shop", "ann").Rev
			}, 6},
		}
		for _, s := range steps {
			equal(f, s.name, s.do(), s.want)
			equal(f, s.name+", read", f.client("shop", "ann").Rev, s.want)
		}
	}},
	{"a client's incarnation grows when the deleted id is created anew, and never else", func(f *fixture) {
		f.app("shop", "ann")
		for want := int64(1); want <= 3; want++ {
			equal(f, "created", f.client("shop", "ann").Incarnation, want)
			equal(f, "updated", f.updateClient("shop", "ann", func(c *skein.Client) { c.Updated++ }).Incarnation, want)
			_, _, err := f.DeleteClient(f.Context(), "shop", "ann", f.now(), false)
			f.must(err)
			equal(f, "deleted", f.client("shop", "ann").Incarnation, want)
			f.clients("shop", "ann")
		}
	}},
	{"a conversation's roster_rev grows with every change of its members, and with nothing else", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat")
		conv := f.group("shop", "ann", "bob")
		want := int64(1)
		see := func(what string, grew bool) {
			f.Helper()
			if grew {
				want++
			}
			equal(f, what+": conversation", f.lookup("shop", conv).RosterRev, want)
			_, rev, err := f.Audience(f.Context(), "shop", conv, want)
			f.must(err)
			equal(f, what+": audience", rev, want)
			all, err := f.AppendAll(f.Context(), []skein.Draft{f.draft("shop", conv, "bob", what)})
			f.must(err)
			equal(f, what+": appended", all[0].RosterRev, want)
			told := f.told()
			equal(f, what+": committed", told[len(told)-1].RosterRev, want)
		}
		see("created", false)
		f.add("shop", conv, "cat")
		see("added", true)
		f.add("shop", conv, "cat")
		see("added again", false)
		f.alter("shop", conv, "cat", func(m *skein.Member) { m.Role = skein.RoleAdmin })
		see("role", true)
		f.alter("shop", conv, "cat", func(m *skein.Member) { m.MutedUntil = start + 5 })
		see("mute", true)
		f.alter("shop", conv, "cat", func(m *skein.Member) { m.Nickname = "kitty" })
		see("nickname", true)
		f.alter("shop", conv, "cat", func(m *skein.Member) { m.ReadSeq, m.Pinned = 1, 5 })
		see("marks", false)
		f.remove("shop", conv, "cat")
		see("removed", true)
		f.remove("shop", conv, "cat")
		see("removed again", false)
		_, _, err := f.DeleteClient(f.Context(), "shop", "ann", f.now(), false)
		f.must(err)
		see("deleted", true)
		_, rev, err := f.Audience(f.Context(), "shop", f.newID(), 0)
		f.must(err)
		equal(f, "of no conversation", rev, int64(0))
	}},
	{"a node that was told nothing hears of every cut behind its watermark", func(f *fixture) {
		f.app("shop", "ann", "bob")
		f.app("game", "ann")
		f.updateClient("shop", "bob", func(c *skein.Client) { c.BannedUntil = skein.Forever }) // before the node came
		none, after, err := f.CutsSince(f.Context(), 0, 100)
		f.must(err)
		equal(f, "cuts before the first watermark", len(none), 0)
		quiet, after := f.cutsSince(after)
		equal(f, "cuts while nothing happens", len(quiet), 0)

		f.updateClient("shop", "ann", func(c *skein.Client) { c.Ext = []byte(`1`) })
		f.updateClient("shop", "ann", func(c *skein.Client) { c.DeviceCuts = map[string]skein.Millis{"pad": 7} })
		f.updateClient("game", "ann", func(c *skein.Client) { c.Cut = 8 })
		f.updateClient("shop", "ann", func(c *skein.Client) { c.BannedUntil, c.BanReason = skein.Forever, "x" })
		f.updateClient("shop", "ann", func(c *skein.Client) { c.BannedUntil, c.BanReason = 0, "" })
		_, _, err = f.DeleteClient(f.Context(), "shop", "ann", f.now(), false)
		f.must(err)
		want := []skein.Cut{
			{App: "shop", Client: "ann", Device: "pad", Reason: skein.KickLoggedOut, Rev: 3},
			{App: "game", Client: "ann", Reason: skein.KickLoggedOut, Rev: 2},
			{App: "shop", Client: "ann", Reason: skein.KickBanned, Rev: 4},
			{App: "shop", Client: "ann", Reason: skein.KickDeleted, Rev: 6},
		}
		cuts, next := f.cutsSince(after)
		equal(f, "cuts", cuts, want)
		cuts, _ = f.cutsSince(next)
		equal(f, "cuts behind them", len(cuts), 0)

		f.purge()
		cuts, _ = f.cutsSince(after)
		equal(f, "cuts while they are kept", cuts, want)
		f.pass(store.CutsKept + time.Second)
		f.purge()
		cuts, _ = f.cutsSince(after)
		equal(f, "cuts when they are old", len(cuts), 0)
		f.updateClient("game", "ann", func(c *skein.Client) { c.Cut = 9 })
		cuts, _ = f.cutsSince(next)
		equal(f, "a cut after all were forgotten", len(cuts), 1)
	}},
}
