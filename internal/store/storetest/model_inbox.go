package storetest

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

var inboxModel = []check{
	{"whatever is done, unread, mentions and roles are what lists of messages say", func(f *fixture) {
		runs := 0
		InWorlds(f.T, func(t *rapid.T) {
			runs++
			d := newInboxWorld(t, f, fmt.Sprint("inbox", runs))
			t.Repeat(map[string]func(*rapid.T){
				"":          d.same,
				"say":       d.say,
				"say more":  d.say,
				"read":      d.read,
				"receive":   d.receive,
				"clear":     d.clear,
				"join":      d.join,
				"leave":     d.leave,
				"take back": d.takeBack,
				"hide":      d.hide,
				"edit":      d.edit,
				"role":      d.role,
				"mute all":  d.muteAll,
			})
		})
	}},
}

// inboxWorld is one conversation as plain lists. What is unread is found by going
// through all that was said, not by positions.
type inboxWorld struct {
	f       *fixture
	app     string
	conv    skein.ID
	quiet   bool // only owner and admins speak
	words   []word
	members map[string]*inboxMember
}

// word is a message of the model.
type word struct {
	stored   skein.Message
	mentions []string
	silent   bool // taken back
	hiddenBy map[string]bool
}

// inboxMember is a member of the model: for each message that it was there for, what
// it knows of it.
type inboxMember struct {
	role     skein.Role
	first    int // index of the first message after joining
	seen     map[int]bool
	received map[int]bool
	cleared  map[int]bool
}

func newInboxWorld(t *rapid.T, f *fixture, app string) *inboxWorld {
	expectErr(t, "CreateApp", f.CreateApp(f.Context(), skein.App{ID: app}), nil)
	for _, id := range names {
		_, _, err := f.CreateClient(f.Context(), skein.Client{App: app, ID: id})
		expectErr(t, "CreateClient", err, nil)
	}
	c := f.conv(app, skein.Group)
	_, _, err := f.CreateConversation(f.Context(), c, f.joining(names[:2]...), store.MemberLimit{})
	expectErr(t, "CreateConversation", err, nil)
	d := &inboxWorld{f: f, app: app, conv: c.ID, members: map[string]*inboxMember{}}
	d.enter(names[0])
	d.enter(names[1])
	return d
}

func (d *inboxWorld) enter(client string) {
	d.members[client] = &inboxMember{first: len(d.words), seen: map[int]bool{}, received: map[int]bool{}, cleared: map[int]bool{}}
}

// unread are the indexes of what a member has before it.
func (d *inboxWorld) unread(client string) (list []int) {
	s := d.members[client]
	for i := range d.words {
		sentLater := slices.ContainsFunc(d.words[max(i, s.first):], func(w word) bool { return w.stored.Sender == client })
		if i >= s.first && !s.seen[i] && !s.cleared[i] && !sentLater {
			list = append(list, i)
		}
	}
	return list
}

// counted is how many of them still say something to the member.
func (d *inboxWorld) counted(client string) (n int64) {
	for _, i := range d.unread(client) {
		if w := d.words[i]; !w.silent && !w.hiddenBy[client] {
			n++
		}
	}
	return n
}

func (d *inboxWorld) mentioned(client string) (n int64) {
	for _, i := range d.unread(client) {
		w := d.words[i]
		if !w.silent && !w.hiddenBy[client] && (w.stored.MentionAll || slices.Contains(w.mentions, client)) {
			n++
		}
	}
	return n
}

func (d *inboxWorld) say(t *rapid.T) {
	draft := d.f.draft(d.app, d.conv, drawClient(t), "hi")
	draft.MentionAll = rapid.IntRange(0, 4).Draw(t, "mention all") == 0
	draft.Mentions = rapid.SliceOfN(rapid.SampledFrom(names), 0, 3).Draw(t, "mentions")
	var want error
	if s := d.members[draft.Sender]; s == nil || d.quiet && s.role < skein.RoleAdmin {
		want = skein.ErrForbidden
	}
	m, _, err := d.f.Append(d.f.Context(), draft)
	if expectErr(t, "Append", err, want) {
		d.words = append(d.words, word{stored: m, mentions: draft.Mentions, hiddenBy: map[string]bool{}})
	}
}

// move asks for a position and notes in the model all that it covers, if it may.
func (d *inboxWorld) move(t *rapid.T, at func(*skein.Member) *int64, note func(*inboxMember) map[int]bool) {
	client := drawClient(t)
	to := rapid.Int64Range(-1, int64(len(d.words))+2).Draw(t, "to")
	_, _, err := d.f.UpdateMember(d.f.Context(), d.app, d.conv, store.Authority{}, client, start, func(_ skein.Conversation, m *skein.Member) error {
		*at(m) = to
		return nil
	})
	s := d.members[client]
	if s == nil {
		expectErr(t, "UpdateMember", err, skein.ErrUnknownClient)
		return
	}
	expectErr(t, "UpdateMember", err, nil)
	for i := range d.words {
		if int64(i) < to {
			note(s)[i] = true
		}
	}
}

func (d *inboxWorld) read(t *rapid.T) {
	d.move(t, func(m *skein.Member) *int64 { return &m.ReadSeq }, func(s *inboxMember) map[int]bool { return s.seen })
}

func (d *inboxWorld) receive(t *rapid.T) {
	d.move(t, func(m *skein.Member) *int64 { return &m.ReceivedSeq }, func(s *inboxMember) map[int]bool { return s.received })
}

func (d *inboxWorld) clear(t *rapid.T) {
	d.move(t, func(m *skein.Member) *int64 { return &m.ClearedSeq }, func(s *inboxMember) map[int]bool { return s.cleared })
}

func (d *inboxWorld) join(t *rapid.T) {
	client := drawClient(t)
	d.f.add(d.app, d.conv, client)
	if d.members[client] == nil {
		d.enter(client)
	}
}

func (d *inboxWorld) leave(t *rapid.T) {
	client := drawClient(t)
	d.f.remove(d.app, d.conv, client)
	delete(d.members, client)
}

func (d *inboxWorld) drawWord(t *rapid.T) *word {
	if len(d.words) == 0 {
		t.Skip("nothing said")
	}
	return &d.words[rapid.IntRange(0, len(d.words)-1).Draw(t, "message")]
}

func (d *inboxWorld) takeBack(t *rapid.T) {
	w := d.drawWord(t)
	d.f.change(d.app, w.stored, "", recall)
	w.silent = true
}

func (d *inboxWorld) edit(t *rapid.T) {
	w := d.drawWord(t)
	c := edit("ho")
	c.Message.MentionAll = rapid.Bool().Draw(t, "mention all")
	c.Message.Mentions = rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 3, rapid.ID).Draw(t, "mentions")
	_, err := d.f.ChangeMessage(d.f.Context(), d.app, d.conv, w.stored.ID, store.Authority{}, "", makes(c))
	if w.silent {
		expectErr(t, "ChangeMessage", err, skein.ErrConflict)
		return
	}
	expectErr(t, "ChangeMessage", err, nil)
	w.stored.MentionAll, w.mentions = c.Message.MentionAll, c.Message.Mentions
}

func (d *inboxWorld) hide(t *rapid.T) {
	w, client := d.drawWord(t), drawClient(t)
	d.f.change(d.app, w.stored, client, hide)
	w.hiddenBy[client] = true
}

func (d *inboxWorld) role(t *rapid.T) {
	client := drawClient(t)
	role := rapid.SampledFrom([]skein.Role{skein.RoleMember, skein.RoleAdmin, skein.RoleOwner}).Draw(t, "role")
	_, m, err := d.f.UpdateMember(d.f.Context(), d.app, d.conv, store.Authority{}, client, start, func(_ skein.Conversation, m *skein.Member) error {
		m.Role = role
		return nil
	})
	if d.members[client] == nil {
		expectErr(t, "UpdateMember", err, skein.ErrUnknownClient)
		return
	}
	expectErr(t, "UpdateMember", err, nil)
	expect(t, "role", m.Role, role)
	if role == skein.RoleOwner {
		for _, s := range d.members {
			if s.role == skein.RoleOwner {
				s.role = skein.RoleAdmin
			}
		}
	}
	d.members[client].role = role
}

func (d *inboxWorld) muteAll(t *rapid.T) {
	d.quiet = rapid.Bool().Draw(t, "on")
	d.f.alterConv(d.app, d.conv, func(c *skein.Conversation) { c.MuteAll = d.quiet })
}

func (d *inboxWorld) same(t *rapid.T) {
	owners := 0
	for _, client := range names {
		v, err := d.f.View(d.f.Context(), d.app, d.conv, client)
		s := d.members[client]
		if s == nil {
			expectErr(t, "View", err, skein.ErrUnknownClient)
			continue
		}
		expectErr(t, "View", err, nil)
		expect(t, client+": unread and mentions", []int64{v.Unread(), v.Mentions}, []int64{d.counted(client), d.mentioned(client)})
		expect(t, client+": role", v.Member.Role, s.role)
		d.sameTotal(t, client, v)
		d.sameLast(t, client, v)
		if v.Member.Role == skein.RoleOwner {
			owners++
		}
	}
	if owners > 1 {
		t.Fatalf("%d owners", owners)
	}
	for i := range d.words {
		got, err := d.f.CountReaders(d.f.Context(), d.app, d.conv, int64(i+1))
		expectErr(t, "CountReaders", err, nil)
		expect(t, fmt.Sprint("readers of ", i+1), got, d.readers(i))
	}
}

// sameTotal compares what is unread in all, of which this conversation is the whole.
func (d *inboxWorld) sameTotal(t *rapid.T, client string, v skein.View) {
	want := skein.UnreadTotal{Unread: v.Unread(), Mentions: v.Mentions}
	if v.Unread() > 0 {
		want.Conversations = 1
	}
	got, err := d.f.Unread(d.f.Context(), d.app, client, false)
	expectErr(t, "Unread", err, nil)
	expect(t, client+": unread in all", got, want)
	toRead, err := d.f.ToRead(d.f.Context(), d.app, client)
	expectErr(t, "ToRead", err, nil)
	expect(t, client+": to read", len(toRead) == 1, v.Member.Read() < v.LastSeq)
}

// sameLast compares the newest message: there unless cleared, empty where it was
// taken back or hidden.
func (d *inboxWorld) sameLast(t *rapid.T, client string, v skein.View) {
	end := len(d.words) - 1
	want := end >= 0 && !d.members[client].cleared[end]
	expect(t, client+": has a last", v.Last != nil, want)
	if v.Last == nil {
		return
	}
	w := d.words[end]
	expect(t, client+": last", v.Last.ID, w.stored.ID)
	expect(t, client+": last is blank", v.Last.Text == "", w.silent || w.hiddenBy[client])
}

func (d *inboxWorld) readers(i int) (n store.Readers) {
	for client, s := range d.members {
		if i < s.first {
			continue
		}
		n.Members++
		unread := slices.Contains(d.unread(client), i)
		if !unread {
			n.Read++
		}
		if !unread || s.received[i] {
			n.Received++
		}
	}
	return n
}
