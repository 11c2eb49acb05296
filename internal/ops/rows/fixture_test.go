package rows

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite"
	"github.com/skein-im/skein/internal/store/sqlite/sqlitetest"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/cursor"
	"github.com/skein-im/skein/internal/wire/request"
	"github.com/skein-im/skein/internal/wire/strict"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is the table over real use cases and a real store. The app "shop" has the
// clients Owner, Admin, Member and Outsider, the app "other" has none.
type fixture struct {
	*testing.T
	*ops.Table

	store *sqlite.Store
	gate  *access.Gate
	files *fakeFiles
	clock atomic.Int64 // Unix milliseconds

	mu   sync.Mutex
	sent []skein.Committed // committed; guarded by mu
}

var people = []string{"Owner", "Admin", "Member", "Outsider"}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{T: t, files: &fakeFiles{}}
	f.clock.Store(1_790_000_000_000)
	now := func() time.Time { return time.UnixMilli(f.clock.Load()) }
	var err error
	f.store, err = sqlite.Open(t.Context(), sqlite.Options{
		Path: sqlitetest.File(t), Readers: 1, Now: now, SearchTime: time.Hour,
		Committed: func(sent []skein.Committed) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.sent = append(f.sent, sent...)
		},
	})
	f.must(err)
	t.Cleanup(func() { f.must(f.store.Close()) })
	for _, app := range []string{"shop", "other"} {
		f.must(f.store.CreateApp(t.Context(), skein.App{ID: app, TokenSecret: access.NewTokenSecret()}))
	}
	for _, id := range people {
		f.client(id)
	}
	f.gate = access.New(access.Options{Apps: f.store, Clients: f.store, Now: now})
	f.Table = New(Deps{
		Chat: chat.New(chat.Options{Store: f.store, Events: noEvents{}, Now: now}),
		Gate: f.gate, Files: f.files, Presence: window{}, Zone: time.UTC,
		Cursors: cursor.NewSealer([]byte("secret")),
	})
	return f
}

func (f *fixture) client(id string) {
	f.Helper()
	_, _, err := f.store.CreateClient(f.Context(), skein.Client{App: "shop", ID: id})
	f.must(err)
}

// actor is the backend of an app, or with a name one of its clients.
func (f *fixture) actor(app, client string) skein.Actor {
	f.Helper()
	a, err := f.gate.App(f.Context(), app)
	f.must(err)
	return skein.Actor{App: a, Client: client}
}

// conv is a new conversation with one of each role.
func (f *fixture) conv(t skein.ConvType) string {
	f.Helper()
	c := skein.Conversation{App: "shop", ID: skein.ID(uuid.New()), Type: t}
	_, _, err := f.store.CreateConversation(f.Context(), c, []skein.Member{
		{Client: "Owner", Role: skein.RoleOwner}, {Client: "Admin", Role: skein.RoleAdmin}, {Client: "Member"},
	}, store.MemberLimit{})
	f.must(err)
	return c.ID.String()
}

// message is a new message of Member's.
func (f *fixture) message(conv string) string {
	f.Helper()
	id, err := skein.ParseID(conv)
	f.must(err)
	m, _, err := f.store.Append(f.Context(), skein.Draft{App: "shop", Message: skein.Message{
		ID: skein.ID(uuid.New()), Conv: id, Sender: "Member", Body: skein.Body{Type: skein.TypeText, Text: "hi"},
		Status: skein.StatusNormal, Created: skein.Millis(f.clock.Load()),
	}})
	f.must(err)
	return m.ID.String()
}

// op is a row by its name.
func (f *fixture) op(name string) *ops.Op {
	f.Helper()
	op := f.Op(name)
	if op == nil {
		f.Fatalf("no op %q", name)
	}
	return op
}

// do runs an op as REST does, and answers the code.
func (f *fixture) do(by skein.Actor, name, body string) (answer string, code int, err error) {
	f.Helper()
	out, err := f.Do(f.Context(), by, f.op(name), func(in any) error {
		if up, ok := in.(*request.UploadFile); ok {
			up.File, up.Base = strings.NewReader("x"), "http://h"
			return nil
		}
		return strict.Decode([]byte(body), in)
	})
	return string(out), codeOf(err), err
}

func codeOf(err error) int {
	if err == nil {
		return 0
	}
	return wire.CodeOf(err).Code
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatalf("got error %v", err)
	}
}

// noEvents ignores all events.
type noEvents struct{}

func (noEvents) RingAll(string, skein.ID, int64, int64) {}
func (noEvents) Say(skein.Committed)                    {}
func (noEvents) Tell(skein.Notice)                      {}
func (noEvents) Cut(skein.Cut)                          {}

// fakeFiles takes every file and keeps the names of those that are there.
type fakeFiles struct {
	mu    sync.Mutex
	named int      // guarded by mu
	names []string // guarded by mu
}

func (s *fakeFiles) Save(_ context.Context, r io.Reader, _ []string, _ int64) (string, error) {
	_, err := io.Copy(io.Discard, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.named++
	name := fmt.Sprintf("%032x.png", s.named)
	s.names = append(s.names, name)
	return name, err
}

func (s *fakeFiles) Remove(_ context.Context, name string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names = slices.DeleteFunc(s.names, func(n string) bool { return n == name })
	return 0, nil
}

// window sees everybody online.
type window struct{}

func (window) Of(_ context.Context, _ skein.Actor, clients []string) ([]skein.Presence, error) {
	list := make([]skein.Presence, 0, len(clients))
	for _, client := range clients {
		list = append(list, skein.Presence{Client: client, Devices: skein.DeviceSet(0).With(0)})
	}
	return list, nil
}

func (w window) Subscribe(ctx context.Context, by skein.Actor, clients []string) ([]skein.Presence, error) {
	return w.Of(ctx, by, clients)
}

func (s *fakeFiles) Walk(context.Context, func([]skein.StoredFile) error) error { return nil }
