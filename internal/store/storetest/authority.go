package storetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// write is a write to a conversation of which bob is a member, by an authority.
type write struct {
	name string
	do   func(conv skein.ID, said skein.Message, by store.Authority) error
}

// writes are all those that hold to an authority.
func (f *fixture) writes() []write {
	ctx := f.Context()
	return []write{
		{"AddMembers", func(conv skein.ID, _ skein.Message, by store.Authority) error {
			_, err := f.AddMembers(ctx, "shop", conv, by, []string{"eve"}, f.now(), store.MemberLimit{})
			return err
		}},
		{"RemoveMembers", func(conv skein.ID, _ skein.Message, by store.Authority) error {
			_, err := f.RemoveMembers(ctx, "shop", conv, by, []string{"bob"}, f.now(), 0)
			return err
		}},
		{"UpdateMember", func(conv skein.ID, _ skein.Message, by store.Authority) error {
			_, _, err := f.UpdateMember(ctx, "shop", conv, by, "bob", f.now(), func(_ skein.Conversation, m *skein.Member) error {
				m.Nickname = "changed"
				return nil
			})
			return err
		}},
		{"UpdateConversation", func(conv skein.ID, _ skein.Message, by store.Authority) error {
			_, err := f.UpdateConversation(ctx, "shop", conv, by, func(c *skein.Conversation) error {
				c.MuteAll = true
				return nil
			})
			return err
		}},
		{"UpdateConversations", func(conv skein.ID, _ skein.Message, by store.Authority) error {
			where := []skein.Condition{{Field: skein.FieldConvID, Op: skein.Eq, Values: []any{conv.String()}}}
			_, err := f.UpdateConversations(ctx, "shop", by, where, []byte(`"changed"`), f.now())
			return err
		}},
		{"ChangeMessage", func(conv skein.ID, said skein.Message, by store.Authority) error {
			_, err := f.ChangeMessage(ctx, "shop", conv, said.ID, by, "", makes(edit("changed")))
			return err
		}},
		{"DeleteConversation", func(conv skein.ID, _ skein.Message, by store.Authority) error {
			_, err := f.DeleteConversation(ctx, "shop", conv, by)
			return err
		}},
	}
}

// state is all that the writes could change.
func (f *fixture) state(conv skein.ID) string {
	f.Helper()
	members, err := f.Members(f.Context(), "shop", conv, skein.MemberQuery{})
	f.must(err)
	return fmt.Sprintf("%+v %+v %+v", f.lookup("shop", conv), members.Members, f.history("shop", conv))
}

var authorities = []check{
	{"a write by who does not meet its need is refused and changes nothing", func(f *fixture) {
		f.app("shop", "boss", "ann", "bob", "eve", "out", "bad", "late")
		conv := f.group("shop", "boss", "ann", "bob", "bad")
		said := f.say("shop", conv, "bob", "hi")
		for _, admin := range []string{"boss", "ann", "bad"} {
			f.alter("shop", conv, admin, func(m *skein.Member) { m.Role = skein.RoleAdmin })
		}
		f.alter("shop", conv, "ann", func(m *skein.Member) { m.Role = skein.RoleMember }) // demoted a moment ago
		f.updateClient("shop", "bad", func(c *skein.Client) { c.BannedUntil = skein.Forever })
		_, _, err := f.DeleteClient(f.Context(), "shop", "late", f.now(), false)
		f.must(err)
		before := f.state(conv)
		for _, w := range f.writes() {
			for who, want := range map[string]error{
				"ann": skein.ErrForbidden, "bob": skein.ErrForbidden, "out": skein.ErrForbidden,
				"bad": skein.ErrBanned, "late": skein.ErrForbidden,
			} {
				if err := w.do(conv, said, store.Needs(who, skein.NeedManager)); !errors.Is(err, want) {
					f.Errorf("%s by %s: got %v, want %v", w.name, who, err, want)
				}
			}
			f.wantFault(w.do(conv, said, store.Needs("late", skein.NeedClient)), skein.ErrUnknownClient, "late")
			equal(f, w.name+", refused", f.state(conv), before)
		}
		for _, w := range f.writes() {
			if err := w.do(conv, said, store.Needs("boss", skein.NeedManager)); err != nil {
				f.Errorf("%s by who manages it: %v", w.name, err)
			}
			if w.name == "RemoveMembers" {
				f.add("shop", conv, "bob")
			}
		}
	}},
	{"the rule of a write is shown the conversation and the caller as they are, and refuses with its own error", func(f *fixture) {
		f.app("shop", "ann", "bob", "eve", "out")
		conv := f.group("shop", "ann", "bob")
		said := f.say("shop", conv, "bob", "hi")
		f.alter("shop", conv, "ann", func(m *skein.Member) { m.Role = skein.RoleOwner })
		before := f.state(conv)
		refusal := skein.About(skein.ErrConvType, "conv_id")
		for _, w := range f.writes() {
			for who, want := range map[string]string{"ann": "owner", "bob": "member", "out": "nobody", "": "nobody"} {
				saw := ""
				err := w.do(conv, said, store.Authority{Client: who, Rule: func(c skein.Conversation, me *skein.Member) error {
					if saw = "nobody"; me != nil {
						saw = me.Role.String()
						equal(f, w.name+": whose membership", me.Client, who)
					}
					equal(f, w.name+": which conversation", c.ID, conv)
					return refusal
				}})
				f.wantFault(err, skein.ErrConvType, "conv_id")
				equal(f, fmt.Sprintf("%s by %q saw", w.name, who), saw, want)
			}
			equal(f, w.name+", refused", f.state(conv), before)
		}
	}},
	{"a banned or unknown client creates no conversation, whoever asks, and is not answered a private one", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat")
		f.create(f.conv("shop", skein.Private), "ann", "bob")
		create := func(creator, other string, typ skein.ConvType) error {
			c := f.conv("shop", typ)
			c.Creator = creator
			_, _, err := f.CreateConversation(f.Context(), c, f.joining(creator, other), store.MemberLimit{})
			if err != nil {
				f.unknownToAll("shop", c.ID, "cat")
			}
			return err
		}
		f.updateClient("shop", "ann", func(c *skein.Client) { c.BannedUntil = f.now() + 1 })
		for _, typ := range []skein.ConvType{skein.Private, skein.Temporary, skein.Group, skein.Room} {
			f.wantFault(create("ann", "bob", typ), skein.ErrBanned, "ann")
			f.wantFault(create("nobody", "bob", typ), skein.ErrUnknownClient, "nobody")
		}
		f.must(create("cat", "ann", skein.Group)) // others may add who is banned
		f.pass(time.Millisecond)
		f.must(create("ann", "bob", skein.Group))
	}},
	{"a client removes only those below it, and itself", func(f *fixture) {
		f.app("shop", "owner", "one", "two", "bob", "cat")
		conv := f.group("shop", "owner", "one", "two", "bob", "cat")
		f.alter("shop", conv, "owner", func(m *skein.Member) { m.Role = skein.RoleOwner })
		for _, admin := range []string{"one", "two"} {
			f.alter("shop", conv, admin, func(m *skein.Member) { m.Role = skein.RoleAdmin })
		}
		remove := func(by string, clients ...string) error {
			_, err := f.RemoveMembers(f.Context(), "shop", conv, store.Needs(by, skein.NeedMember), clients, f.now(), 0)
			return err
		}
		f.wantFault(remove("one", "bob", "two"), skein.ErrForbidden, "two")
		f.wantFault(remove("one", "owner"), skein.ErrForbidden, "owner")
		f.wantFault(remove("bob", "cat"), skein.ErrForbidden, "cat")
		equal(f, "after refusals", len(f.audience("shop", conv)), 5)
		f.must(remove("one", "bob", "nobody", "one"))
		f.must(remove("cat", "cat"))
		f.must(remove("owner", "two"))
		equal(f, "left", f.audience("shop", conv), []string{"owner"})
	}},
	{"of a demotion that races with writes of the demoted, no write comes after it", func(f *fixture) {
		f.app("shop", "ann", "bob")
		const rounds, tries = 10, 8
		for range rounds {
			conv := f.group("shop", "ann", "bob")
			f.alter("shop", conv, "ann", func(m *skein.Member) { m.Role = skein.RoleAdmin })
			f.together(tries, func(i int) error {
				if i == 0 {
					_, _, err := f.UpdateMember(f.Context(), "shop", conv, store.Authority{}, "ann", f.now(), func(_ skein.Conversation, m *skein.Member) error {
						m.Role = skein.RoleMember
						return nil
					})
					return err
				}
				demoted := f.member("shop", conv, "ann").Role == skein.RoleMember
				_, err := f.UpdateConversation(f.Context(), "shop", conv, store.Needs("ann", skein.NeedManager), func(c *skein.Conversation) error {
					c.Updated++
					return nil
				})
				if demoted && err == nil {
					return errors.New("a write was done by who was seen demoted")
				}
				if errors.Is(err, skein.ErrForbidden) {
					return nil
				}
				return err
			})
			f.wantErr(f.writes()[3].do(conv, skein.Message{}, store.Needs("ann", skein.NeedManager)), skein.ErrForbidden)
		}
	}},
}
