package storetest

import (
	"fmt"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// added is what came of a client who adds another to a new conversation of a type.
func (f *fixture) added(t skein.ConvType, adder, client string, limit store.MemberLimit) error {
	f.Helper()
	limit.Adder = adder
	members := f.joining(adder, client)
	if adder == "" {
		members = f.joining(client)
	}
	_, _, err := f.CreateConversation(f.Context(), f.conv("shop", t), members, limit)
	return err
}

// met makes two clients know each other and answers their conversation.
func (f *fixture) met(a, b string) skein.ID {
	f.Helper()
	pair := f.create(f.conv("shop", skein.Private), a, b).ID
	f.say("shop", pair, a, "hello")
	f.say("shop", pair, b, "hello")
	return pair
}

var adding = []check{
	{"each kind of adder fills a share of what a client may be in", func(f *fixture) {
		f.app("shop", "ann", "pal", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7")
		f.met("ann", "pal") // 1 of 20
		limit := store.MemberLimit{PerClient: 20}
		fill := func(t skein.ConvType, adders ...string) (in int) {
			for _, adder := range adders {
				for range 20 {
					err := f.added(t, adder, "ann", limit)
					if err != nil {
						f.wantFault(err, skein.ErrTooLarge, "ann")
						break
					}
					if in++; t == skein.Private {
						break // the second would be the first again
					}
				}
			}
			return in
		}
		equal(f, "one stranger", fill(skein.Group, "s0"), 3)
		equal(f, "strangers up to 12", fill(skein.Room, "s1", "s2", "s3", "s4"), 8)
		equal(f, "their private ones up to 16", fill(skein.Private, "s1", "s2", "s3", "s4", "s5", "s6"), 4)
		equal(f, "somebody known up to 18", fill(skein.Temporary, "pal"), 2)
		equal(f, "itself", fill(skein.Group, "ann"), 2)
		f.wantFault(f.added(skein.Group, "", "ann", limit), skein.ErrTooLarge, "ann")
		limit.PerClient = 21
		f.must(f.added(skein.Group, "", "ann", limit))
	}},
	{"of those whom one adder added count those who are still there", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat")
		limit := store.MemberLimit{PerClient: 9, Adder: "bob"}
		var convs []skein.ID
		for range 3 {
			c, _, err := f.CreateConversation(f.Context(), f.conv("shop", skein.Group), f.joining("bob", "ann"), limit)
			f.must(err)
			f.remove("shop", c.ID, "bob")
			convs = append(convs, c.ID)
		}
		full := func() error { return f.added(skein.Group, "bob", "ann", limit) }
		f.wantFault(full(), skein.ErrTooLarge, "ann")
		other := f.group("shop", "bob")
		_, err := f.AddMembers(f.Context(), "shop", other, store.Authority{}, []string{"cat", "ann"}, f.now(), limit)
		f.wantFault(err, skein.ErrTooLarge, "ann")
		equal(f, "all or none", f.audience("shop", other), []string{"bob"})
		_, err = f.AddMembers(f.Context(), "shop", convs[0], store.Authority{}, []string{"ann"}, f.now(), limit)
		f.must(err) // a member already
		f.must(f.added(skein.Group, "cat", "ann", limit))
		f.remove("shop", convs[0], "ann")
		f.must(full())
		f.wantFault(full(), skein.ErrTooLarge, "ann")
		_, err = f.DeleteConversation(f.Context(), "shop", convs[1], store.Authority{})
		f.must(err)
		f.must(full())
	}},
	{"a client is added by whom it lets", func(f *fixture) {
		f.app("shop", "ann", "pal", "eve", "sam")
		pair := f.met("ann", "pal")
		half := f.create(f.conv("shop", skein.Private), "ann", "eve").ID
		f.say("shop", half, "eve", "hello?")
		choose := func(choice skein.AddBy) {
			_, err := f.UpdateClient(f.Context(), "shop", "ann", func(c *skein.Client) error { c.AddBy = choice; return nil })
			f.must(err)
			got, err := f.Client(f.Context(), "shop", "ann")
			f.must(err)
			equal(f, "choice", got.AddBy, choice)
		}
		may := func(app skein.AddBy) (who []string) {
			limit := store.MemberLimit{AddBy: app}
			for _, adder := range []string{"", "ann", "pal", "eve"} {
				err := f.added(skein.Group, adder, "ann", limit)
				f.must(f.added(skein.Private, "sam", "ann", limit)) // always
				limit.Adder = adder
				_, again := f.AddMembers(f.Context(), "shop", f.group("shop"), store.Authority{}, []string{"ann"}, f.now(), limit)
				equal(f, fmt.Sprintf("%q by create and by add", adder), again == nil, err == nil)
				if err == nil {
					who = append(who, adder)
					continue
				}
				f.wantFault(err, skein.ErrForbidden, "ann")
			}
			return who
		}
		all, known, nobody := []string{"", "ann", "pal", "eve"}, []string{"", "ann", "pal"}, []string{"", "ann"}
		for _, tt := range []struct {
			client, app skein.AddBy
			want        []string
		}{
			{skein.AddByDefault, skein.AddByDefault, all},
			{skein.AddByDefault, skein.AddByKnown, known},
			{skein.AddByDefault, skein.AddByNobody, nobody},
			{skein.AddByAnyone, skein.AddByNobody, all},
			{skein.AddByKnown, skein.AddByAnyone, known},
			{skein.AddByNobody, skein.AddByAnyone, nobody},
		} {
			choose(tt.client)
			equal(f, fmt.Sprint("client ", tt.client, ", app ", tt.app), may(tt.app), tt.want)
		}
		choose(skein.AddByKnown)
		_, err := f.DeleteConversation(f.Context(), "shop", pair, store.Authority{})
		f.must(err)
		equal(f, "once their conversation is gone", may(skein.AddByDefault), nobody)
		_, _, err = f.DeleteClient(f.Context(), "shop", "ann", f.now(), false)
		f.must(err)
		f.clients("shop", "ann")
		equal(f, "another ann", may(skein.AddByDefault), all)
	}},
}
