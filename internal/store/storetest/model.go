package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"pgregory.net/rapid"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

var model = []check{
	{"whatever is done, the store holds what a simple model holds", func(f *fixture) {
		worlds := 0
		InWorlds(f.T, func(t *rapid.T) {
			worlds++
			w := newWorld(t, f, fmt.Sprint("app", worlds))
			t.Repeat(map[string]func(*rapid.T){
				"":               w.same,
				"create client":  w.createClient,
				"delete client":  w.deleteClient,
				"ban":            w.ban,
				"log out":        w.logOut,
				"hear of cuts":   w.hear,
				"create group":   w.createGroup,
				"create private": w.createPrivate,
				"delete":         w.deleteConversation,
				"add members":    w.addMembers,
				"remove members": w.removeMembers,
				"append":         w.append,
				"append again":   w.append,
			})
		})
	}},
}

// world is the model: one app as plain maps and slices, beside the real one.
type world struct {
	f             *fixture
	app           string
	accounts      map[string]*account // by client
	conversations []*conversation

	cuts, told []skein.Cut // what ended logins, and what the store told of it
	heard      map[skein.Cut]bool
	after      store.Watermark
}

// conversation is what the model knows of one.
type conversation struct {
	id       skein.ID
	pair     [2]string // of a private one; empty: none, or freed
	members  []skein.Member
	messages []skein.Message
	former   map[int64]bool // seqs of what clients said whose ids are others' now
	deleted  bool
}

func newWorld(t *rapid.T, f *fixture, app string) *world {
	if err := f.CreateApp(f.Context(), skein.App{ID: app}); err != nil {
		t.Fatal(err)
	}
	return &world{f: f, app: app, accounts: map[string]*account{}, heard: map[skein.Cut]bool{}, after: f.watermark(t)}
}

var names = []string{"ann", "bob", "cat", "dan"}

func drawClient(t *rapid.T) string { return rapid.SampledFrom(names).Draw(t, "client") }

// drawClients is one to three clients, each once.
func drawClients(t *rapid.T) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, 3, rapid.ID[string]).Draw(t, "clients")
}

// drawConversation is one of the conversations, deleted ones too; without any the action is void.
func (w *world) drawConversation(t *rapid.T) *conversation {
	if len(w.conversations) == 0 {
		t.Skip("no conversation yet")
	}
	return rapid.SampledFrom(w.conversations).Draw(t, "conversation")
}

func (r *conversation) has(client string) bool {
	return slices.ContainsFunc(r.members, func(m skein.Member) bool { return m.Client == client })
}

func (r *conversation) drop(client string) {
	r.members = slices.DeleteFunc(r.members, func(m skein.Member) bool { return m.Client == client })
}

// expect compares an answer with the model's. An empty list is as good as none.
func expect[T any](t *rapid.T, what string, got, want T) {
	if reflect.DeepEqual(got, want) { // much cheaper than the text
		return
	}
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Fatalf("%s:\ngot  %s\nwant %s", what, g, w)
	}
}

// expectErr wants the sentinel (nil: none) and reports whether there is none.
func expectErr(t *rapid.T, what string, err, want error) (fine bool) {
	if !errors.Is(err, want) {
		t.Fatalf("%s: got error %v, want %v", what, err, want)
	}
	return err == nil
}

func (w *world) createGroup(t *rapid.T) {
	clients := drawClients(t)
	c := w.f.conv(w.app, skein.Group)
	_, created, err := w.f.CreateConversation(w.f.Context(), c, w.f.joining(clients...), store.MemberLimit{})
	if w.mayCreate(t, clients, err) {
		expect(t, "created", created, true)
		w.add(c.ID, clients, [2]string{})
	}
}

func (w *world) createPrivate(t *rapid.T) {
	clients := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 2, 2, rapid.ID[string]).Draw(t, "pair")
	pair := [2]string{min(clients[0], clients[1]), max(clients[0], clients[1])}
	at := slices.IndexFunc(w.conversations, func(r *conversation) bool { return r.pair == pair && !r.deleted })
	c := w.f.conv(w.app, skein.Private)
	got, created, err := w.f.CreateConversation(w.f.Context(), c, w.f.joining(clients...), store.MemberLimit{})
	if !w.mayCreate(t, clients, err) {
		return
	}
	expect(t, "created", created, at < 0)
	if at < 0 {
		w.add(c.ID, clients, pair)
		return
	}
	expect(t, "id", got.ID, w.conversations[at].id)
}

// mayCreate checks the error of a creation and reports whether there is none.
func (w *world) mayCreate(t *rapid.T, clients []string, err error) bool {
	missing := w.firstMissing(clients)
	if missing == "" {
		return expectErr(t, "CreateConversation", err, nil)
	}
	fault, ok := errors.AsType[*skein.Fault](err)
	if !ok || !errors.Is(err, skein.ErrUnknownClient) || fault.Field != missing {
		t.Fatalf("CreateConversation: got error %v, want unknown client %s", err, missing)
	}
	return false
}

func (w *world) add(id skein.ID, clients []string, pair [2]string) {
	r := &conversation{former: map[int64]bool{}, id: id, pair: pair}
	for _, client := range clients {
		r.members = append(r.members, skein.Member{Client: client, Joined: w.f.now(), JoinSeq: 1})
	}
	w.conversations = append(w.conversations, r)
}

func (w *world) deleteConversation(t *rapid.T) {
	r := w.drawConversation(t)
	who, err := w.f.DeleteConversation(w.f.Context(), w.app, r.id, store.Authority{})
	if expectErr(t, "DeleteConversation", err, r.unknown()) {
		expect(t, "members", who, memberIDs(skein.MemberPage{Members: r.members}))
		r.deleted = true
	}
}

// unknown is the error of every call about a deleted conversation.
func (r *conversation) unknown() error {
	if r.deleted {
		return skein.ErrUnknownConversation
	}
	return nil
}

func (w *world) addMembers(t *rapid.T) {
	r, clients := w.drawConversation(t), drawClients(t)
	want := r.unknown()
	if want == nil && w.firstMissing(clients) != "" {
		want = skein.ErrUnknownClient
	}
	added, err := w.f.AddMembers(w.f.Context(), w.app, r.id, store.Authority{}, clients, start, store.MemberLimit{})
	if !expectErr(t, "AddMembers", err, want) {
		return
	}
	var wantAdded []string
	for _, id := range clients {
		if !r.has(id) {
			wantAdded = append(wantAdded, id)
			r.members = append(r.members, skein.Member{Client: id, Joined: start, JoinSeq: int64(len(r.messages)) + 1})
		}
	}
	expect(t, "added", added, wantAdded)
}

func (w *world) removeMembers(t *rapid.T) {
	r, clients := w.drawConversation(t), drawClients(t)
	removed, err := w.f.RemoveMembers(w.f.Context(), w.app, r.id, store.Authority{}, clients, start, 0)
	if !expectErr(t, "RemoveMembers", err, r.unknown()) {
		return
	}
	var want []string
	for _, id := range clients {
		if r.has(id) {
			want = append(want, id)
			r.drop(id)
		}
	}
	expect(t, "removed", removed, want)
}

func (w *world) append(t *rapid.T) {
	r := w.drawConversation(t)
	d := w.f.draft(w.app, r.id, drawClient(t), rapid.SampledFrom([]string{"yes", "no"}).Draw(t, "text"))
	d.ClientMsgID = rapid.SampledFrom([]string{"", "1", "2", "3"}).Draw(t, "client_msg_id")
	first, want := r.first(d), r.unknown()
	switch {
	case want != nil:
	case first != nil && first.Text != d.Text:
		want = skein.ErrConflict
	case first != nil:
	case !w.alive(d.Sender):
		want = skein.ErrUnknownClient
	case w.accounts[d.Sender].banned > w.f.now():
		want = skein.ErrBanned
	case !r.has(d.Sender):
		want = skein.ErrForbidden
	}
	m, again, err := w.f.Append(w.f.Context(), d)
	if !expectErr(t, "Append", err, want) {
		return
	}
	expect(t, "again", again, first != nil)
	if first == nil {
		stored := d.Message
		stored.Seq, stored.Status, stored.Version = int64(len(r.messages))+1, skein.StatusNormal, 1
		r.messages = append(r.messages, stored)
		r.sent(d.Sender, stored.Seq)
		first = &stored
	}
	expect(t, "message", m, *first)
}

func (r *conversation) sent(client string, seq int64) {
	for i := range r.members {
		if r.members[i].Client == client {
			r.members[i].SentSeq = seq
		}
	}
}

// first is the message that the draft's sender stored under its client_msg_id, or nil:
// what a former holder of the sender's id stored is nothing of the sender's.
func (r *conversation) first(d skein.Draft) *skein.Message {
	for i, m := range r.messages {
		if d.ClientMsgID != "" && m.ClientMsgID == d.ClientMsgID && m.Sender == d.Sender && !r.former[m.Seq] {
			return &r.messages[i]
		}
	}
	return nil
}

// same compares the whole store with the whole model.
func (w *world) same(t *rapid.T) {
	w.sameClients(t)
	living := 0
	for _, r := range w.conversations {
		conv, _, err := w.f.Conversation(w.f.Context(), w.app, r.id, "")
		expectErr(t, "Conversation", err, r.unknown())
		said, err := w.f.Messages(w.f.Context(), w.app, r.id, skein.SeqRange{Limit: 1 << 20})
		expectErr(t, "Messages", err, nil)
		if r.deleted {
			expect(t, "messages of a deleted one", len(said), 0)
			continue
		}
		living++
		expect(t, "count and newest", []int64{int64(conv.Members), conv.LastSeq}, []int64{int64(len(r.members)), int64(len(r.messages))})
		expect(t, "messages", said, r.messages)
		page, err := w.f.Members(w.f.Context(), w.app, r.id, skein.MemberQuery{})
		expectErr(t, "Members", err, nil)
		expect(t, "members", page.Members, r.members)
	}
	page, err := w.f.FindConversations(w.f.Context(), w.app, skein.ConvQuery{Limit: 1, Count: true})
	expectErr(t, "FindConversations", err, nil)
	expect(t, "conversations", page.Total, living)
}
