package storetest

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

var syncModel = []check{
	{"whoever follows knows what is true, and is told nothing twice", func(f *fixture) {
		runs := 0
		InWorlds(f.T, func(t *rapid.T) {
			runs++
			n := newSyncWorld(t, f, fmt.Sprint("sync", runs))
			t.Repeat(map[string]func(*rapid.T){
				"":                n.notice,
				"create":          n.create,
				"create short":    n.createShort,
				"say":             n.say,
				"say again":       n.say,
				"change message":  n.changeMessage,
				"mark":            n.mark,
				"read":            n.read,
				"extend":          n.extend,
				"add":             n.add,
				"remove":          n.remove,
				"delete":          n.delete,
				"renew a client":  n.renewClient,
				"let time pass":   n.pass,
				"purge":           n.purge,
				"page":            n.page,
				"another page":    n.page,
				"follow":          n.follow,
				"follow as other": n.follow,
			})
		})
	}},
}

// syncWorld is an app, its followers and when what they could be told of changed.
// What is true is asked of View, which has a model of its own.
type syncWorld struct {
	f       *fixture
	app     string
	convs   []skein.ID
	said    []skein.Message
	tick    int // counts actions
	truth   map[string]map[skein.ID]string
	moved   map[string]map[skein.ID]int // the tick of the last change for this client
	ended   map[skein.ID]bool           // past its end, not marked by a purge: nobody need know
	ends    map[skein.ID]skein.Millis
	devices map[string]*device
}

// device is a follower and when it was told.
type device struct {
	*follower

	round int              // the tick when the round began
	begun bool             // a round is under way
	told  map[skein.ID]int // the round in which it was told last
}

func newSyncWorld(t *rapid.T, f *fixture, app string) *syncWorld {
	n := &syncWorld{
		f: f, app: app,
		truth: map[string]map[skein.ID]string{}, moved: map[string]map[skein.ID]int{},
		ended: map[skein.ID]bool{}, ends: map[skein.ID]skein.Millis{}, devices: map[string]*device{},
	}
	expectErr(t, "CreateApp", f.CreateApp(f.Context(), skein.App{ID: app}), nil)
	for _, id := range names {
		n.enter(t, id)
	}
	return n
}

// enter makes a client with a new device.
func (n *syncWorld) enter(t *rapid.T, id string) {
	_, _, err := n.f.CreateClient(n.f.Context(), skein.Client{App: n.app, ID: id})
	expectErr(t, "CreateClient", err, nil)
	n.truth[id], n.moved[id] = map[skein.ID]string{}, map[skein.ID]int{}
	n.devices[id] = &device{follower: n.f.follow(n.app, id), told: map[skein.ID]int{}}
}

// notice sees what the last action has changed for whom.
func (n *syncWorld) notice(*rapid.T) {
	n.tick++
	for _, client := range names {
		now := map[skein.ID]string{}
		for _, conv := range n.convs {
			if n.ended[conv] {
				continue
			}
			v, err := n.f.View(n.f.Context(), n.app, conv, client)
			if err == nil {
				now[conv] = picture(v)
			}
		}
		for _, conv := range n.convs {
			if !n.ended[conv] && now[conv] != n.truth[client][conv] {
				n.moved[client][conv] = n.tick
			}
		}
		for conv := range n.ended {
			if was, ok := n.truth[client][conv]; ok {
				now[conv] = was // until it is marked
			}
		}
		n.truth[client] = now
	}
	n.f.pass(time.Millisecond)
}

// picture is all that a view shows.
func picture(v skein.View) string {
	last := "none"
	if v.Last != nil {
		last = fmt.Sprintf("%+v", *v.Last)
	}
	v.Last = nil
	return fmt.Sprintf("%+v %s", v, last)
}

// drawConv is one that is alive, or any if none is.
func (n *syncWorld) drawConv(t *rapid.T) skein.ID {
	living := slices.DeleteFunc(slices.Clone(n.convs), func(id skein.ID) bool {
		_, _, err := n.f.Conversation(n.f.Context(), n.app, id, "")
		return err != nil
	})
	if len(living) == 0 {
		t.Skip("no conversation")
	}
	return rapid.SampledFrom(living).Draw(t, "conversation")
}

func (n *syncWorld) create(t *rapid.T) { n.build(t, n.f.conv(n.app, skein.Group)) }

func (n *syncWorld) createShort(t *rapid.T) {
	c := n.f.conv(n.app, skein.Temporary)
	c.TTL = time.Second
	n.build(t, c)
}

func (n *syncWorld) build(t *rapid.T, c skein.Conversation) {
	got, _, err := n.f.CreateConversation(n.f.Context(), c, n.f.joining(drawClients(t)...), store.MemberLimit{})
	if expectErr(t, "CreateConversation", err, nil) {
		n.convs = append(n.convs, got.ID)
		n.prolong(got)
	}
}

func (n *syncWorld) prolong(c skein.Conversation) {
	if c.Type == skein.Temporary {
		n.ends[c.ID] = n.f.now().Add(c.TTL)
	}
}

func (n *syncWorld) say(t *rapid.T) {
	conv := n.drawConv(t)
	d := n.f.draft(n.app, conv, drawClient(t), "hi")
	d.Need, d.MentionAll = skein.NeedServer, rapid.Bool().Draw(t, "mention all")
	m, _, err := n.f.Append(n.f.Context(), d)
	expectErr(t, "Append", err, nil)
	n.said = append(n.said, m)
	c, _, err := n.f.Conversation(n.f.Context(), n.app, conv, "")
	if err == nil && c.Type == skein.Temporary {
		n.ends[conv] = max(n.ends[conv], m.Created.Add(c.TTL))
	}
}

func (n *syncWorld) changeMessage(t *rapid.T) {
	if len(n.said) == 0 {
		t.Skip("nothing said")
	}
	m := rapid.SampledFrom(n.said).Draw(t, "message")
	c := rapid.SampledFrom([]skein.Change{recall, hide, pin, unpin}).Draw(t, "change")
	c.At = n.f.now()
	// Whether it may be is the business of another model.
	_, _ = n.f.ChangeMessage(n.f.Context(), n.app, m.Conv, m.ID, store.Needs(drawClient(t), skein.NeedClient), "", makes(c))
}

func (n *syncWorld) update(t *rapid.T, change func(skein.Conversation, *skein.Member)) {
	_, _, err := n.f.UpdateMember(n.f.Context(), n.app, n.drawConv(t), store.Authority{}, drawClient(t), n.f.now(),
		func(c skein.Conversation, m *skein.Member) error {
			change(c, m)
			return nil
		})
	if err != nil {
		expectErr(t, "UpdateMember", err, skein.ErrUnknownClient)
	}
}

func (n *syncWorld) mark(t *rapid.T) {
	what := rapid.IntRange(0, 3).Draw(t, "what")
	n.update(t, func(_ skein.Conversation, m *skein.Member) {
		switch what {
		case 0:
			m.Muted = !m.Muted
		case 1:
			m.Draft = fmt.Sprint(n.tick)
		case 2:
			m.Role = skein.RoleOwner
		default:
			m.Nickname = fmt.Sprint(n.tick)
		}
	})
}

func (n *syncWorld) read(t *rapid.T) {
	back := rapid.Int64Range(0, 2).Draw(t, "back")
	clears := rapid.Bool().Draw(t, "clear")
	n.update(t, func(c skein.Conversation, m *skein.Member) {
		m.ReadSeq = c.LastSeq - back
		if clears {
			m.ClearedSeq = c.LastSeq - back
		}
	})
}

func (n *syncWorld) extend(t *rapid.T) {
	_, err := n.f.UpdateConversation(n.f.Context(), n.app, n.drawConv(t), store.Authority{}, func(c *skein.Conversation) error {
		c.Extend, c.MuteAll, c.Updated = fmt.Append(nil, n.tick), !c.MuteAll, n.f.now()
		return nil
	})
	expectErr(t, "UpdateConversation", err, nil)
}

func (n *syncWorld) add(t *rapid.T) {
	n.f.add(n.app, n.drawConv(t), drawClients(t)...)
}

func (n *syncWorld) remove(t *rapid.T) {
	n.f.remove(n.app, n.drawConv(t), drawClients(t)...)
}

func (n *syncWorld) delete(t *rapid.T) {
	conv := n.drawConv(t)
	_, err := n.f.DeleteConversation(n.f.Context(), n.app, conv, store.Authority{})
	expectErr(t, "DeleteConversation", err, nil)
	delete(n.ends, conv)
}

func (n *syncWorld) renewClient(t *rapid.T) {
	id := drawClient(t)
	_, _, err := n.f.DeleteClient(n.f.Context(), n.app, id, n.f.now(), rapid.Bool().Draw(t, "erase"))
	expectErr(t, "DeleteClient", err, nil)
	n.f.erase()
	n.enter(t, id)
}

// pass lets temporary conversations come to their end.
func (n *syncWorld) pass(*rapid.T) {
	n.f.pass(400 * time.Millisecond)
	for conv, end := range n.ends {
		if end <= n.f.now() {
			n.ended[conv] = true
		}
	}
}

func (n *syncWorld) purge(*rapid.T) {
	n.f.purge()
	for conv := range n.ended {
		delete(n.ends, conv)
	}
	clear(n.ended)
}

func (n *syncWorld) page(t *rapid.T) {
	n.take(t, n.devices[drawClient(t)])
}

// take asks for a page and reports whether it was the last of its round.
func (n *syncWorld) take(t *rapid.T, w *device) (done bool) {
	if !w.begun {
		w.begun, w.round = true, n.tick
	}
	page, err := n.f.Sync(n.f.Context(), n.app, w.client, w.cursor, rapid.IntRange(1, 3).Draw(t, "limit"))
	if !expectErr(t, "Sync", err, nil) || page.Reset {
		t.Fatalf("reset of %+v", w.cursor)
	}
	for _, id := range append(viewIDs(page), page.Gone...) {
		// Told again only of what has changed since the round began that told it.
		if last, ok := w.told[id]; ok && n.moved[w.client][id] <= last {
			t.Fatalf("%s is told again of %s: changed at %d, told in the round of %d", w.client, id, n.moved[w.client][id], last)
		}
		w.told[id] = w.round
	}
	w.keep(page)
	w.begun = !page.Done
	return page.Done
}

// follow ends the round that is under way, if any, and follows another: nothing
// else happens meanwhile, so what is known then is what is true.
func (n *syncWorld) follow(t *rapid.T) {
	w := n.devices[drawClient(t)]
	for range 2 {
		for !n.take(t, w) {
		}
	}
	knows := map[skein.ID]string{}
	for id, v := range w.knows {
		knows[id] = picture(v)
	}
	truth := maps.Clone(n.truth[w.client])
	for id := range n.ended {
		delete(knows, id)
		delete(truth, id)
	}
	expect(t, w.client+" knows", knows, truth)
}
