package storetest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// start is where the clock of every test stands at first.
const start skein.Millis = 1_700_000_000_000

// fixture is a store, its clock, what its hook was told, and short words for what
// tests do all the time.
type fixture struct {
	*testing.T
	*turns

	clock atomic.Int64 // Unix milliseconds
	ids   atomic.Uint64

	mu    sync.Mutex
	sent  []skein.Committed // guarded by mu
	known map[news]struct{} // what sent holds; guarded by mu
}

// news is what tells one thing that the hook is told from another.
type news struct {
	app         string
	conv        skein.ID
	seq, change int64
}

func newFixture(t *testing.T, open Open) *fixture {
	t.Helper()
	f := &fixture{T: t, turns: new(turns), known: map[news]struct{}{}}
	f.clock.Store(int64(start))
	f.handles[0], f.handles[1] = open(t, Options{
		Now:       func() time.Time { return time.UnixMilli(f.clock.Load()) },
		Committed: f.committed,
	})
	t.Cleanup(func() {
		const enough = 20
		if f.calls.Load() > enough && (f.taken[0].Load() == 0 || f.taken[1].Load() == 0) {
			t.Errorf("of %d calls the handles took %d and %d: both must take turns", f.calls.Load(), f.taken[0].Load(), f.taken[1].Load())
		}
	})
	return f
}

// committed keeps what the hook is told, which may be told twice.
func (f *fixture) committed(sent []skein.Committed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range sent {
		n := news{app: s.App, conv: s.Conv, seq: s.Seq}
		if s.Change != nil {
			n.change = s.Change.Seq
		}
		if _, known := f.known[n]; !known {
			f.known[n] = struct{}{}
			f.sent = append(f.sent, s)
		}
	}
}

func (f *fixture) now() skein.Millis { return skein.Millis(f.clock.Load()) }

func (f *fixture) pass(d time.Duration) { f.clock.Add(d.Milliseconds()) }

// told is what the hook was told so far, without the stamps.
func (f *fixture) told() []skein.Committed {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := slices.Clone(f.sent)
	for i := range all {
		all[i].Stamp, all[i].Members = 0, nil
	}
	return all
}

// lastStamp is the stamp of what the hook was told last.
func (f *fixture) lastStamp() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent[len(f.sent)-1].Stamp
}

// toldAfter is what the hook was told after the first n.
func (f *fixture) toldAfter(n int) []skein.Committed {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.sent[n:])
}

// newID is an ID that sorts behind those before it.
func (f *fixture) newID() (id skein.ID) {
	binary.BigEndian.PutUint64(id[8:], f.ids.Add(1))
	return id
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatalf("got error %v", err)
	}
}

func (f *fixture) wantErr(err, want error) {
	f.Helper()
	if !errors.Is(err, want) {
		f.Fatalf("got error %v, want %v", err, want)
	}
}

// wantFault wants the sentinel about a field.
func (f *fixture) wantFault(err, want error, field string) {
	f.Helper()
	fault, ok := errors.AsType[*skein.Fault](err)
	if !ok || !errors.Is(err, want) || fault.Field != field {
		f.Fatalf("got error %v, want %v about %q", err, want, field)
	}
}

func equal[T any](f *fixture, what string, got, want T) {
	f.Helper()
	if !reflect.DeepEqual(got, want) {
		f.Fatalf("%s:\ngot  %+v\nwant %+v", what, got, want)
	}
}

// app makes an app with clients.
func (f *fixture) app(id string, clients ...string) {
	f.Helper()
	f.must(f.CreateApp(f.Context(), skein.App{ID: id, Created: f.now()}))
	f.clients(id, clients...)
}

func (f *fixture) clients(app string, ids ...string) {
	f.Helper()
	for _, id := range ids {
		_, created, err := f.CreateClient(f.Context(), skein.Client{App: app, ID: id, Created: f.now()})
		f.must(err)
		equal(f, "created "+id, created, true)
	}
}

// joining is members with the role of a member, joining now.
func (f *fixture) joining(clients ...string) (members []skein.Member) {
	for _, id := range clients {
		members = append(members, skein.Member{Client: id, Joined: f.now()})
	}
	return members
}

// conv is a conversation to create, of a type, now.
func (f *fixture) conv(app string, typ skein.ConvType) skein.Conversation {
	return skein.Conversation{App: app, ID: f.newID(), Type: typ, Created: f.now(), Active: f.now()}
}

// create makes a conversation that must be new.
func (f *fixture) create(c skein.Conversation, clients ...string) skein.Conversation {
	f.Helper()
	got, created, err := f.CreateConversation(f.Context(), c, f.joining(clients...), store.MemberLimit{})
	f.must(err)
	equal(f, "created", created, true)
	return got
}

func (f *fixture) group(app string, clients ...string) skein.ID {
	f.Helper()
	return f.create(f.conv(app, skein.Group), clients...).ID
}

// draft is a text asking to be stored now.
func (f *fixture) draft(app string, conv skein.ID, sender, text string) skein.Draft {
	return skein.Draft{
		App:  app,
		Need: skein.NeedMember,
		Message: skein.Message{
			ID: f.newID(), Conv: conv, Sender: sender, Created: f.now(),
			Body: skein.Body{Type: skein.TypeText, Text: text},
		},
	}
}

// say stores a text.
func (f *fixture) say(app string, conv skein.ID, sender, text string) skein.Message {
	f.Helper()
	m, again, err := f.Append(f.Context(), f.draft(app, conv, sender, text))
	f.must(err)
	equal(f, "again", again, false)
	return m
}

// sayMany stores n texts, many at the same time.
func (f *fixture) sayMany(app string, conv skein.ID, sender string, n int) {
	f.Helper()
	f.together(n, func(i int) error {
		_, _, err := f.Append(f.Context(), f.draft(app, conv, sender, fmt.Sprint(i)))
		return err
	})
}

// together runs do(0) … do(n-1) at the same time; each must succeed.
func (f *fixture) together(n int, do func(i int) error) {
	f.Helper()
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = do(i) })
	}
	all.Wait()
	f.must(errors.Join(errs...))
}

// history is all messages of a conversation, oldest first.
func (f *fixture) history(app string, conv skein.ID) []skein.Message {
	f.Helper()
	all, err := f.Messages(f.Context(), app, conv, skein.SeqRange{Limit: 1 << 20})
	f.must(err)
	return all
}

func (f *fixture) lookup(app string, conv skein.ID) skein.Conversation {
	f.Helper()
	c, _, err := f.Conversation(f.Context(), app, conv, "")
	f.must(err)
	return c
}

func (f *fixture) audience(app string, conv skein.ID) []string {
	f.Helper()
	all, _, err := f.Audience(f.Context(), app, conv, 0)
	f.must(err)
	ids := make([]string, 0, len(all))
	for _, l := range all {
		ids = append(ids, l.Client)
	}
	slices.Sort(ids)
	return ids
}

// purge purges until nothing is left.
func (f *fixture) purge() {
	f.Helper()
	f.untilDone(func() (bool, error) { return f.Purge(f.Context(), f.now()) })
}

// erase erases until nothing is left.
func (f *fixture) erase() {
	f.Helper()
	f.untilDone(func() (more bool, err error) {
		_, more, err = f.EraseMessages(f.Context(), f.now())
		return more, err
	})
}

func (f *fixture) untilDone(do func() (more bool, err error)) {
	f.Helper()
	const enough = 10_000
	for range enough {
		more, err := do()
		f.must(err)
		if !more {
			return
		}
	}
	f.Fatalf("still more after %d calls", enough)
}

// unknownToAll wants a conversation to be unknown to every method. client exists.
func (f *fixture) unknownToAll(app string, conv skein.ID, client string) {
	f.Helper()
	want := func(method string, err error) {
		f.Helper()
		if !errors.Is(err, skein.ErrUnknownConversation) {
			f.Fatalf("%s: got error %v, want %v", method, err, skein.ErrUnknownConversation)
		}
	}
	_, _, err := f.Conversation(f.Context(), app, conv, client)
	want("Conversation", err)
	_, err = f.DeleteConversation(f.Context(), app, conv, store.Authority{})
	want("DeleteConversation", err)
	_, err = f.AddMembers(f.Context(), app, conv, store.Authority{}, []string{client}, f.now(), store.MemberLimit{})
	want("AddMembers", err)
	_, err = f.RemoveMembers(f.Context(), app, conv, store.Authority{}, []string{client}, f.now(), 0)
	want("RemoveMembers", err)
	_, err = f.Members(f.Context(), app, conv, skein.MemberQuery{})
	want("Members", err)
	d := f.draft(app, conv, client, "hello")
	d.Need = skein.NeedServer
	_, _, err = f.Append(f.Context(), d)
	want("Append", err)
	_, err = f.Admit(f.Context(), d)
	want("Admit", err)
	where := []skein.Condition{{Field: skein.FieldConvID, Op: skein.Eq, Values: []any{conv.String()}}}
	_, err = f.UpdateConversations(f.Context(), app, store.Authority{}, where, []byte(`1`), f.now())
	want("UpdateConversations", err)
	page, err := f.FindConversations(f.Context(), app, skein.ConvQuery{Where: where, Limit: 10, Count: true})
	f.must(err)
	equal(f, "FindConversations", page, skein.ConvPage{})
	page, err = f.FindConversations(f.Context(), app, skein.ConvQuery{Where: where, Member: client, Limit: 10, Count: true})
	f.must(err)
	equal(f, "FindConversations of a member", page, skein.ConvPage{})
	equal(f, "Audience", len(f.audience(app, conv)), 0)
	equal(f, "Messages", len(f.history(app, conv)), 0)
}
