package cache

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/storetest"
)

// Whatever is done, the cache answers what the engine beneath it answers. Every
// step ends with all reads, so that each write finds a memory that is full.
func TestMirrorsTheEngine(t *testing.T) {
	m := &mirror{T: t, now: 1_700_000_000_000, turn: func() {}, catchUp: func() {}}
	m.s = open(t, storetest.Options{Now: func() time.Time { return m.now.Time() }}, DefaultBytes)
	m.hits = m.s.hits.Load
	m.run(t)
}

// So do two caches over one engine, of which now this one writes and now that one, once
// an entry is too old to be trusted.
func TestTwoCachesMirrorTheEngine(t *testing.T) {
	m := &mirror{T: t, now: 1_700_000_000_000}
	p := openPair(t, storetest.Options{Now: func() time.Time { return m.now.Time() }}, DefaultBytes)
	m.s = p[0].Store
	m.hits = func() int64 { return p[0].hits.Load() + p[1].hits.Load() }
	steps := 0
	m.turn = func() {
		steps++
		m.s = p[steps/3%2].Store
	}
	m.catchUp = func() { p[0].clock.Add(int64(trust)) }
	m.run(t)
}

func (m *mirror) run(t *testing.T) {
	t.Helper()
	worlds := 0
	storetest.InWorlds(t, func(t *rapid.T) {
		worlds++
		m.begin(fmt.Sprint("app", worlds))
		t.Repeat(map[string]func(*rapid.T){
			"":                    m.same,
			"create":              m.create,
			"create ending":       m.createEnding,
			"say":                 m.say,
			"say more":            m.say,
			"change":              m.change,
			"hide":                m.hide,
			"add":                 m.add,
			"remove":              m.remove,
			"update member":       m.updateMember,
			"update memberships":  m.updateMemberships,
			"hand over":           m.handOver,
			"update conversation": m.updateConversation,
			"update by where":     m.updateWhere,
			"delete conversation": m.deleteConversation,
			"update client":       m.updateClient,
			"seen":                m.seen,
			"delete client":       m.deleteClient,
			"delete app":          m.deleteApp,
			"pass":                func(*rapid.T) { m.now = m.now.Add(20 * time.Second) },
		})
	})
	if hits := m.hits(); hits == 0 || hits < m.reads/100 {
		t.Errorf("memory answered %d of %d reads, want one in a hundred at least: the test compares the engine with itself", hits, m.reads)
	}
}

// mirror is the cache and where to look into it.
type mirror struct {
	*testing.T

	s       *Store
	turn    func()       // another cache may be s from now on
	catchUp func()       // lets pass what the other cache's entries are trusted for
	hits    func() int64 // reads that memory answered
	reads   int64

	app   string
	convs []skein.ID
	said  []skein.Message
	now   skein.Millis
}

var people = []string{"ann", "bob", "cat"}

func (m *mirror) begin(app string) {
	m.app, m.convs, m.said = app, nil, nil
	m.renew()
}

// renew makes the app, anew if there was one, and its clients.
func (m *mirror) renew() {
	m.now++
	m.must(m.s.CreateApp(m.Context(), skein.App{ID: m.app, Created: m.now}))
	_, err := m.s.App(m.Context(), m.app)
	m.must(err)
	for _, id := range people {
		_, _, err := m.s.CreateClient(m.Context(), skein.Client{App: m.app, ID: id, Created: m.now})
		m.must(err)
	}
}

func (m *mirror) must(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

// may lets a step fail for what the contract refuses.
func (m *mirror) may(err error, allowed ...error) {
	m.Helper()
	for _, one := range allowed {
		if errors.Is(err, one) {
			return
		}
	}
	m.must(err)
}

// conv draws a conversation; the step is skipped where there is none.
func (m *mirror) conv(t *rapid.T) skein.ID {
	if len(m.convs) == 0 {
		t.Skip("no conversation yet")
	}
	return rapid.SampledFrom(m.convs[max(0, len(m.convs)-3):]).Draw(t, "conv")
}

func someone(t *rapid.T) string { return rapid.SampledFrom(people).Draw(t, "who") }

func newID() skein.ID { return skein.ID(uuid.Must(uuid.NewV7())) }

func (m *mirror) create(t *rapid.T) { m.createWith(t, 0) }

func (m *mirror) createEnding(t *rapid.T) { m.createWith(t, time.Minute) }

func (m *mirror) createWith(t *rapid.T, ttl time.Duration) {
	c := skein.Conversation{App: m.app, ID: newID(), Type: skein.Group, Created: m.now, Active: m.now, TTL: ttl}
	if ttl > 0 {
		c.Type = skein.Temporary
	}
	_, _, err := m.s.CreateConversation(m.Context(), c, []skein.Member{{Client: someone(t), Role: skein.RoleOwner}}, store.MemberLimit{})
	m.may(err, skein.ErrUnknownClient)
	if err == nil {
		m.convs = append(m.convs, c.ID)
	}
}

func (m *mirror) say(t *rapid.T) {
	d := skein.Draft{App: m.app, Message: skein.Message{
		ID: newID(), Conv: m.conv(t), Sender: someone(t), Created: m.now, Body: skein.Body{Type: skein.TypeText, Text: "hi"},
	}}
	got, _, err := m.s.Append(m.Context(), d)
	m.may(err, skein.ErrUnknownConversation, skein.ErrUnknownClient)
	if err == nil {
		m.said = append(m.said, got)
	}
}

func (m *mirror) change(t *rapid.T) {
	m.become(t, skein.ChangeEdit, skein.ChangeRecall, skein.ChangePin)
}

func (m *mirror) hide(t *rapid.T) { m.become(t, skein.ChangeHide) }

func (m *mirror) become(t *rapid.T, kinds ...skein.ChangeKind) {
	if len(m.said) == 0 {
		t.Skip("no message yet")
	}
	at := rapid.SampledFrom(m.said).Draw(t, "message")
	kind := rapid.SampledFrom(kinds).Draw(t, "kind")
	_, err := m.s.ChangeMessage(m.Context(), m.app, at.Conv, at.ID, store.Needs(someone(t), skein.NeedClient), "", func(s skein.MessageState) (skein.Change, error) {
		c := skein.Change{Kind: kind, At: m.now, On: true, Message: s.Message}
		c.Message.Text += "!"
		return c, nil
	})
	m.may(err, skein.ErrUnknownConversation, skein.ErrUnknownMessage, skein.ErrUnknownClient, skein.ErrConflict)
}

func (m *mirror) add(t *rapid.T) {
	_, err := m.s.AddMembers(m.Context(), m.app, m.conv(t), store.Authority{}, []string{someone(t)}, m.now, store.MemberLimit{})
	m.may(err, skein.ErrUnknownConversation, skein.ErrUnknownClient)
}

func (m *mirror) remove(t *rapid.T) {
	_, err := m.s.RemoveMembers(m.Context(), m.app, m.conv(t), store.Authority{}, []string{someone(t)}, m.now, 0)
	m.may(err, skein.ErrUnknownConversation)
}

func (m *mirror) updateMember(t *rapid.T) {
	m.alter(t, func(c skein.Conversation, one *skein.Member) error {
		one.ReadSeq, one.Draft = c.LastSeq, fmt.Sprint(m.now)
		return nil
	})
}

func (m *mirror) updateMemberships(t *rapid.T) {
	m.now++
	_, err := m.s.UpdateMemberships(m.Context(), m.app, someone(t), m.convs, func(_ int, c skein.Conversation, one *skein.Member) {
		one.ReceivedSeq, one.Unread = c.LastSeq, !one.Unread
	})
	m.may(err)
}

func (m *mirror) handOver(t *rapid.T) {
	m.now++
	m.alter(t, func(_ skein.Conversation, one *skein.Member) error {
		one.Role = skein.RoleOwner
		return nil
	})
}

func (m *mirror) alter(t *rapid.T, change func(skein.Conversation, *skein.Member) error) {
	_, _, err := m.s.UpdateMember(m.Context(), m.app, m.conv(t), store.Authority{}, someone(t), m.now, change)
	m.may(err, skein.ErrUnknownConversation, skein.ErrUnknownClient)
}

func (m *mirror) updateConversation(t *rapid.T) {
	_, err := m.s.UpdateConversation(m.Context(), m.app, m.conv(t), store.Authority{}, func(c *skein.Conversation) error {
		c.MuteAll = !c.MuteAll
		return nil
	})
	m.may(err, skein.ErrUnknownConversation)
}

func (m *mirror) updateWhere(t *rapid.T) {
	m.now++
	where := []skein.Condition{{Field: skein.FieldMember, Op: skein.Eq, Values: []any{someone(t)}}}
	_, err := m.s.UpdateConversations(m.Context(), m.app, store.Authority{}, where, fmt.Append(nil, m.now), m.now)
	m.may(err, skein.ErrUnknownConversation)
}

func (m *mirror) deleteConversation(t *rapid.T) {
	_, err := m.s.DeleteConversation(m.Context(), m.app, m.conv(t), store.Authority{})
	m.may(err, skein.ErrUnknownConversation)
}

func (m *mirror) updateClient(t *rapid.T) {
	m.now++
	_, err := m.s.UpdateClient(m.Context(), m.app, someone(t), func(c *skein.Client) error {
		c.BannedUntil, c.Updated = m.now, m.now
		return nil
	})
	m.may(err, skein.ErrUnknownClient)
}

func (m *mirror) seen(t *rapid.T) {
	m.now++
	m.must(m.s.MarkSeen(m.Context(), []skein.Sighting{{App: m.app, Client: someone(t), At: m.now}}))
}

func (m *mirror) deleteClient(t *rapid.T) {
	_, _, err := m.s.DeleteClient(m.Context(), m.app, someone(t), m.now, false)
	m.may(err, skein.ErrUnknownClient)
}

// deleteApp deletes the app as another process would, unseen, and makes another
// with its id.
func (m *mirror) deleteApp(*rapid.T) {
	m.must(m.s.Store.DeleteApp(m.Context(), m.app))
	for more := true; more; {
		var err error
		more, err = m.s.Purge(m.Context(), m.now)
		m.must(err)
	}
	m.renew()
}

// same compares every read, twice: the second finds what the first has kept.
func (m *mirror) same(t *rapid.T) {
	last := m.convs[max(0, len(m.convs)-3):]
	m.turn()
	m.catchUp()
	for range 2 {
		for _, conv := range last {
			m.sameConversation(t, conv)
		}
		for _, id := range people {
			m.compare(t, "client "+id, func(s store.Store) (any, error) { return s.Client(m.Context(), m.app, id) })
		}
	}
}

func (m *mirror) sameConversation(t *rapid.T, conv skein.ID) {
	ctx := m.Context()
	for _, id := range append([]string{""}, people...) {
		m.compare(t, "conversation and "+id, func(s store.Store) (any, error) {
			c, member, err := s.Conversation(ctx, m.app, conv, id)
			return []any{c, member}, err
		})
		for _, r := range []skein.SeqRange{
			{Limit: 3, Newest: true},
			{Limit: 2, Newest: true, Before: 4},
			{Limit: 3, After: 2},
			{Limit: 50, After: 1, Before: 6},
			{Limit: 1, After: 1 << 62},
		} {
			r.Viewer = id
			m.compare(t, fmt.Sprintf("%+v", r), func(s store.Store) (any, error) { return messages(ctx, s, m.app, conv, r) })
		}
	}
	m.compare(t, "audience", func(s store.Store) (any, error) {
		all, _, err := s.Audience(ctx, m.app, conv, 0)
		return append([]skein.Listener{}, all...), err
	})
}

// messages is a range with none as an empty list.
func messages(ctx context.Context, s store.Store, app string, conv skein.ID, r skein.SeqRange) (any, error) {
	list, err := s.Messages(ctx, app, conv, r)
	return append([]skein.Message{}, list...), err
}

// compare wants the cache and its engine to answer one read alike.
func (m *mirror) compare(t *rapid.T, what string, read func(store.Store) (any, error)) {
	m.reads++
	got, gotErr := read(m.s)
	want, wantErr := read(m.s.Store)
	if !reflect.DeepEqual(got, want) || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
		t.Fatalf("%s:\ngot  %+v, %v\nwant %+v, %v", what, got, gotErr, want, wantErr)
	}
}
