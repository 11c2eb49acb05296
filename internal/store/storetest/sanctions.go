package storetest

import (
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

var sanctions = []check{
	{"who is removed from a room with a ban comes back only when others add it", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat")
		conv := f.create(f.conv("shop", skein.Room), "ann", "bob").ID
		f.alter("shop", conv, "ann", func(m *skein.Member) { m.Role = skein.RoleAdmin })
		add := func(client string, itself bool) error {
			_, err := f.AddMembers(f.Context(), "shop", conv, store.Authority{}, []string{client}, f.now(), store.MemberLimit{Itself: itself})
			return err
		}
		removed, err := f.RemoveMembers(f.Context(), "shop", conv, store.Needs("ann", skein.NeedMember),
			[]string{"bob", "cat", "ann", "nobody"}, f.now(), f.now().Add(time.Minute))
		f.must(err)
		equal(f, "removed", removed, []string{"bob", "ann"})
		f.wantFault(add("bob", true), skein.ErrForbidden, "bob")
		f.wantFault(add("cat", true), skein.ErrForbidden, "cat")
		f.must(add("ann", true))
		f.must(add("bob", false))
		f.remove("shop", conv, "bob")
		f.must(add("bob", true))
		f.pass(time.Minute)
		f.must(add("cat", true))
		equal(f, "members", f.audience("shop", conv), []string{"ann", "bob", "cat"})
	}},
	{"a mute outlives leaving, but not its client", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		until := f.now().Add(time.Hour)
		f.alter("shop", conv, "bob", func(m *skein.Member) { m.MutedUntil = until })
		f.remove("shop", conv, "bob")
		f.add("shop", conv, "bob")
		equal(f, "muted", f.member("shop", conv, "bob").MutedUntil, until)
		f.remove("shop", conv, "bob")
		_, _, err := f.DeleteClient(f.Context(), "shop", "bob", f.now(), false)
		f.must(err)
		f.clients("shop", "bob")
		f.add("shop", conv, "bob")
		equal(f, "another bob", f.member("shop", conv, "bob").MutedUntil, 0)
	}},
}
