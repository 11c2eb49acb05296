package postgres_test

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/storetest"
)

var rounds = flag.Int("races", 50, "how often each race of two nodes is run")

// race is two nodes on one database that do things at the same moment.
type race struct {
	*testing.T

	ctx   context.Context
	nodes [2]store.Store
	ids   *atomic.Uint64
}

func (r *race) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatalf("got error %v", err)
	}
}

func (r *race) newID() (id skein.ID) {
	binary.BigEndian.PutUint64(id[8:], r.ids.Add(1))
	return id
}

// both runs one call on each node at the same moment and returns their errors.
func (r *race) both(on0, on1 func(store.Store) error) (err0, err1 error) {
	var begin, done sync.WaitGroup
	begin.Add(2)
	wait := func() { begin.Done(); begin.Wait() }
	done.Go(func() { wait(); err0 = on0(r.nodes[0]) })
	done.Go(func() { wait(); err1 = on1(r.nodes[1]) })
	done.Wait()
	return err0, err1
}

// group makes a conversation of a type with members.
func (r *race) group(typ skein.ConvType, clients ...string) skein.ID {
	r.Helper()
	var members []skein.Member
	for _, client := range clients {
		members = append(members, skein.Member{Client: client})
	}
	c, _, err := r.nodes[0].CreateConversation(r.ctx, skein.Conversation{App: "shop", ID: r.newID(), Type: typ}, members, store.MemberLimit{})
	r.must(err)
	return c.ID
}

// members are the members of a conversation, which both nodes must agree on, with the count.
func (r *race) members(conv skein.ID) (ids []string, roles map[string]skein.Role) {
	r.Helper()
	var saw [2]string
	for i, node := range r.nodes {
		page, err := node.Members(r.ctx, "shop", conv, skein.MemberQuery{})
		r.must(err)
		c, _, err := node.Conversation(r.ctx, "shop", conv, "")
		r.must(err)
		if c.Members != len(page.Members) {
			r.Fatalf("node %d: %d members are counted, %d are there", i, c.Members, len(page.Members))
		}
		ids, roles = nil, map[string]skein.Role{}
		for _, m := range page.Members {
			ids = append(ids, m.Client)
			roles[m.Client] = m.Role
		}
		saw[i] = fmt.Sprintf("%+v", page.Members)
	}
	if saw[0] != saw[1] {
		r.Fatalf("the nodes disagree:\n%s\n%s", saw[0], saw[1])
	}
	return ids, roles
}

func (r *race) setRole(node store.Store, conv skein.ID, client string, role skein.Role) error {
	_, _, err := node.UpdateMember(r.ctx, "shop", conv, store.Authority{}, client, 1, func(_ skein.Conversation, m *skein.Member) error {
		m.Role = role
		return nil
	})
	return err
}

func (r *race) add(node store.Store, conv skein.ID, client string, limit store.MemberLimit) error {
	_, err := node.AddMembers(r.ctx, "shop", conv, store.Authority{}, []string{client}, 1, limit)
	return err
}

// oneOf wants one of two calls to succeed and the other to be refused.
func (r *race) oneOf(err0, err1, want error) {
	r.Helper()
	if (err0 == nil) == (err1 == nil) || !errors.Is(cmp.Or(err0, err1), want) {
		r.Fatalf("got %v and %v, want one success and one %v", err0, err1, want)
	}
}

// touch changes a conversation as a member, and returns its roster_rev at that moment.
func (r *race) touch(node store.Store, conv skein.ID, client string) (rev int64, err error) {
	c, err := node.UpdateConversation(r.ctx, "shop", conv, store.Needs(client, skein.NeedMember), func(c *skein.Conversation) error {
		c.Updated++
		return nil
	})
	return c.RosterRev, err
}

// races are what two nodes do at the same moment, and what must have come of it.
var races = map[string]func(r *race){
	"a client is kicked while it writes": func(r *race) {
		conv := r.group(skein.Group, "ann", "bob")
		var rev int64
		kicked, wrote := r.both(func(n store.Store) error {
			_, err := n.RemoveMembers(r.ctx, "shop", conv, store.Authority{}, []string{"bob"}, 1, 0)
			return err
		}, func(n store.Store) (err error) {
			rev, err = r.touch(n, conv, "bob")
			return err
		})
		r.must(kicked)
		if wrote != nil && !errors.Is(wrote, skein.ErrForbidden) || wrote == nil && rev != 1 {
			r.Fatalf("the write answered %v at roster_rev %d, want forbidden, or before the kick", wrote, rev)
		}
		for _, node := range r.nodes {
			if _, err := r.touch(node, conv, "bob"); !errors.Is(err, skein.ErrForbidden) {
				r.Fatalf("after the kick: got %v", err)
			}
		}
	},
	"a client is banned while it writes": func(r *race) {
		conv := r.group(skein.Group, "ann", "bob")
		var banned atomic.Bool
		ban := func(n store.Store, until skein.Millis) error {
			_, err := n.UpdateClient(r.ctx, "shop", "bob", func(c *skein.Client) error {
				c.BannedUntil = until
				return nil
			})
			banned.Store(until > 0)
			return err
		}
		done, wrote := r.both(func(n store.Store) error { return ban(n, skein.Forever) }, func(n store.Store) error {
			late := banned.Load()
			_, err := r.touch(n, conv, "bob")
			if late && err == nil {
				return errors.New("a write began after the ban was answered, and was done")
			}
			return err
		})
		r.must(done)
		if wrote != nil && !errors.Is(wrote, skein.ErrBanned) {
			r.Fatalf("the write: %v", wrote)
		}
		for _, node := range r.nodes {
			if _, err := r.touch(node, conv, "bob"); !errors.Is(err, skein.ErrBanned) {
				r.Fatalf("after the ban: got %v", err)
			}
		}
		r.must(ban(r.nodes[0], 0))
	},
	"two clients open their private conversation": func(r *race) {
		a, b := r.newID().String(), r.newID().String()
		for _, id := range []string{a, b} {
			_, _, err := r.nodes[0].CreateClient(r.ctx, skein.Client{App: "shop", ID: id})
			r.must(err)
		}
		var ids [2]skein.ID
		var news [2]bool
		open := func(i int, members ...string) func(store.Store) error {
			return func(n store.Store) error {
				c, isNew, err := n.CreateConversation(r.ctx, skein.Conversation{App: "shop", ID: r.newID(), Type: skein.Private, Creator: members[0]},
					[]skein.Member{{Client: members[0]}, {Client: members[1]}}, store.MemberLimit{PerClient: 1, Adder: members[0]})
				ids[i], news[i] = c.ID, isNew
				return err
			}
		}
		err0, err1 := r.both(open(0, a, b), open(1, b, a))
		r.must(errors.Join(err0, err1))
		if ids[0] != ids[1] || news[0] == news[1] {
			r.Fatalf("got %v (new %v) and %v (new %v)", ids[0], news[0], ids[1], news[1])
		}
		r.members(ids[0])
	},
	"a client is added and removed": func(r *race) {
		conv := r.group(skein.Group, "ann")
		var removed []string
		added, gone := r.both(func(n store.Store) error { return r.add(n, conv, "bob", store.MemberLimit{}) }, func(n store.Store) (err error) {
			removed, err = n.RemoveMembers(r.ctx, "shop", conv, store.Authority{}, []string{"bob"}, 1, 0)
			return err
		})
		r.must(errors.Join(added, gone))
		if ids, _ := r.members(conv); slices.Contains(ids, "bob") == (len(removed) > 0) {
			r.Fatalf("removed %v, but members are %v", removed, ids)
		}
	},
	"two members become the owner": func(r *race) {
		conv := r.group(skein.Group, "ann", "bob", "cat")
		r.must(r.setRole(r.nodes[0], conv, "cat", skein.RoleOwner))
		err0, err1 := r.both(func(n store.Store) error { return r.setRole(n, conv, "ann", skein.RoleOwner) },
			func(n store.Store) error { return r.setRole(n, conv, "bob", skein.RoleOwner) })
		r.must(errors.Join(err0, err1))
		_, roles := r.members(conv)
		if roles["cat"] != skein.RoleAdmin || roles["ann"]+roles["bob"] != skein.RoleOwner+skein.RoleAdmin {
			r.Fatalf("got %v, want one owner and two admins", roles)
		}
	},
	"two admins demote each other": func(r *race) {
		conv := r.group(skein.Group, "ann", "bob")
		for _, client := range []string{"ann", "bob"} {
			r.must(r.setRole(r.nodes[0], conv, client, skein.RoleAdmin))
		}
		demote := func(by, client string) func(store.Store) error {
			return func(n store.Store) error {
				_, _, err := n.UpdateMember(r.ctx, "shop", conv, store.Needs(by, skein.NeedManager), client, 1, func(_ skein.Conversation, m *skein.Member) error {
					m.Role = skein.RoleMember
					return nil
				})
				return err
			}
		}
		err0, err1 := r.both(demote("ann", "bob"), demote("bob", "ann"))
		r.oneOf(err0, err1, skein.ErrForbidden)
		if _, roles := r.members(conv); roles["ann"]+roles["bob"] != skein.RoleAdmin {
			r.Fatalf("got %v, want one admin", roles)
		}
	},
	"two clients take the last place of a group": func(r *race) {
		conv := r.group(skein.Group, "ann")
		limit := store.MemberLimit{Members: 2}
		err0, err1 := r.both(func(n store.Store) error { return r.add(n, conv, "bob", limit) }, func(n store.Store) error { return r.add(n, conv, "cat", limit) })
		r.oneOf(err0, err1, skein.ErrTooLarge)
		if ids, _ := r.members(conv); len(ids) != 2 {
			r.Fatalf("members are %v", ids)
		}
	},
	"a client is added to its last conversation twice": func(r *race) {
		client := r.newID().String()
		_, _, err := r.nodes[0].CreateClient(r.ctx, skein.Client{App: "shop", ID: client})
		r.must(err)
		one, two := r.group(skein.Group, "ann"), r.group(skein.Group, "bob")
		limit := store.MemberLimit{PerClient: 1}
		err0, err1 := r.both(func(n store.Store) error { return r.add(n, one, client, limit) }, func(n store.Store) error { return r.add(n, two, client, limit) })
		r.oneOf(err0, err1, skein.ErrTooLarge)
	},
	"two clients add each other": func(r *race) {
		one, two := r.group(skein.Group, "ann"), r.group(skein.Group, "bob")
		add := func(conv skein.ID, by, client string) func(store.Store) error {
			return func(n store.Store) error {
				_, err := n.AddMembers(r.ctx, "shop", conv, store.Needs(by, skein.NeedMember), []string{client}, 1, store.MemberLimit{PerClient: 1e9, Adder: by})
				return err
			}
		}
		err0, err1 := r.both(add(one, "ann", "bob"), add(two, "bob", "ann"))
		r.must(errors.Join(err0, err1))
	},
	"a client is deleted while it is added": func(r *race) {
		client := r.newID().String()
		_, _, err := r.nodes[0].CreateClient(r.ctx, skein.Client{App: "shop", ID: client})
		r.must(err)
		conv, room := r.group(skein.Group, "ann", client), r.group(skein.Room, "ann")
		other := r.group(skein.Group, "ann")
		deleted, added := r.both(func(n store.Store) error {
			_, _, err := n.DeleteClient(r.ctx, "shop", client, 1, false)
			return err
		}, func(n store.Store) error {
			if _, err := n.RemoveMembers(r.ctx, "shop", room, store.Authority{}, []string{client}, 1, skein.Forever); err != nil {
				return err
			}
			return r.add(n, other, client, store.MemberLimit{})
		})
		r.must(deleted)
		if added != nil && !errors.Is(added, skein.ErrUnknownClient) {
			r.Fatalf("added: %v", added)
		}
		for _, c := range []skein.ID{conv, other} {
			if ids, _ := r.members(c); slices.Contains(ids, client) {
				r.Fatalf("a deleted client is a member: %v", ids)
			}
		}
		_, _, err = r.nodes[1].CreateClient(r.ctx, skein.Client{App: "shop", ID: client})
		r.must(err)
		r.must(r.add(r.nodes[0], room, client, store.MemberLimit{Itself: true})) // the ban was another's
	},
	"a conversation is deleted while a client is added": func(r *race) {
		conv := r.group(skein.Group, "ann")
		var told []string
		gone, added := r.both(func(n store.Store) (err error) {
			told, err = n.DeleteConversation(r.ctx, "shop", conv, store.Authority{})
			return err
		}, func(n store.Store) error { return r.add(n, conv, "bob", store.MemberLimit{}) })
		r.must(gone)
		if added != nil && !errors.Is(added, skein.ErrUnknownConversation) || slices.Contains(told, "bob") != (added == nil) {
			r.Fatalf("added: %v; the deletion answered %v", added, told)
		}
	},
	"a client is created twice": func(r *race) {
		client := r.newID().String()
		var created [2]bool
		create := func(i int) func(store.Store) error {
			return func(n store.Store) (err error) {
				var all []store.CreatedClient
				all, err = n.CreateClients(r.ctx, "shop", []skein.Client{{ID: client + "x"}, {ID: client}, {ID: client}})
				if err == nil {
					created[i] = all[1].Created
				}
				return err
			}
		}
		err0, err1 := r.both(create(0), create(1))
		r.must(errors.Join(err0, err1))
		if created[0] == created[1] {
			r.Fatalf("created %v", created)
		}
	},
	"a member reads while its role is changed and it notes something": func(r *race) {
		conv := r.group(skein.Group, "ann", "bob")
		for i := range 2 {
			_, _, err := r.nodes[i].Append(r.ctx, skein.Draft{App: "shop", Need: skein.NeedMember, Message: skein.Message{
				ID: r.newID(), Conv: conv, Sender: "ann", Body: skein.Body{Type: skein.TypeText, Text: "hi"},
			}})
			r.must(err)
		}
		err0, err1 := r.both(func(n store.Store) error {
			return errors.Join(r.setRole(n, conv, "bob", skein.RoleAdmin), r.note(n, conv, func(m *skein.Member) { m.Muted = true }))
		}, func(n store.Store) error {
			_, err := n.UpdateMemberships(r.ctx, "shop", "bob", []skein.ID{conv}, func(_ int, _ skein.Conversation, m *skein.Member) { m.Archived = true })
			return errors.Join(r.note(n, conv, func(m *skein.Member) { m.ReadSeq = 2 }), err)
		})
		r.must(errors.Join(err0, err1))
		for _, node := range r.nodes {
			_, m, err := node.Conversation(r.ctx, "shop", conv, "bob")
			r.must(err)
			if m.Role != skein.RoleAdmin || m.ReadSeq != 2 || !m.Muted || !m.Archived {
				r.Fatalf("a change is lost: %+v", m)
			}
		}
	},
}

// note changes what bob alone sees of itself.
func (r *race) note(node store.Store, conv skein.ID, change func(*skein.Member)) error {
	_, _, err := node.UpdateMember(r.ctx, "shop", conv, store.Authority{}, "bob", 1, func(_ skein.Conversation, m *skein.Member) error {
		change(m)
		return nil
	})
	return err
}

// TestOfTwoNodesThatRaceOneWinsAndBothAgree runs each race many times, -races=1000 for more.
func TestOfTwoNodesThatRaceOneWinsAndBothAgree(t *testing.T) {
	url := server.Database(t)
	a, b := openWarm(t, url, storetest.Options{Now: time.Now}), openWarm(t, url, storetest.Options{Now: time.Now})
	r := &race{T: t, ctx: t.Context(), nodes: [2]store.Store{a, b}, ids: new(atomic.Uint64)}
	r.must(a.CreateApp(r.ctx, skein.App{ID: "shop"}))
	_, err := a.CreateClients(r.ctx, "shop", []skein.Client{{ID: "ann"}, {ID: "bob"}, {ID: "cat"}})
	r.must(err)
	for name, run := range races {
		t.Run(name, func(t *testing.T) {
			of := &race{T: t, ctx: t.Context(), nodes: r.nodes, ids: r.ids}
			for range *rounds {
				run(of)
				of.nodes[0], of.nodes[1] = of.nodes[1], of.nodes[0]
			}
		})
	}
	// PostgreSQL ends a deadlock after a second, and the loser runs again. Locks that are taken
	// in one order make none.
	r.must(errors.Join(a.Close(), b.Close()))
	conn, err := pgx.Connect(r.ctx, url)
	r.must(err)
	defer conn.Close(r.ctx)
	var deadlocks int
	r.must(conn.QueryRow(r.ctx, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`).Scan(&deadlocks))
	if deadlocks > 0 {
		t.Errorf("%d deadlocks", deadlocks)
	}
}
