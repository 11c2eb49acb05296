package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite"
	"github.com/skein-im/skein/internal/store/sqlite/sqlitetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is where the clock of every test stands at first.
const start skein.Millis = 1_790_000_000_000

// fixture is the use cases over a real store, with the clients Tom, Jerry, Alex and
// Iron in the app "shop".
type fixture struct {
	*testing.T
	*Service

	shop  *skein.App
	clock atomic.Int64 // Unix milliseconds

	mu   sync.Mutex
	told []string // what was told, in short; guarded by mu
}

// Send sends one message.
func (f *fixture) Send(ctx context.Context, by skein.Actor, in skein.Draft) (skein.Message, error) {
	sent := f.Service.Send(ctx, by, []skein.Draft{in})[0]
	return sent.Message, sent.Err
}

func newFixture(t *testing.T, settings skein.Settings) *fixture {
	t.Helper()
	f := &fixture{T: t}
	f.clock.Store(int64(start))
	now := func() time.Time { return time.UnixMilli(f.clock.Load()) }
	st, err := sqlite.Open(t.Context(), sqlite.Options{Path: sqlitetest.File(t), Readers: 1, Now: now, SearchTime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	f.Service = New(Options{Store: st, Events: recorder{f}, Now: now})
	f.shop = f.app("shop", settings)
	f.register(f.shop, "Tom", "Jerry", "Alex", "Iron")
	return f
}

func (f *fixture) app(id string, settings skein.Settings) *skein.App {
	f.Helper()
	app := skein.App{ID: id, Settings: settings}
	f.must(f.store.CreateApp(f.Context(), app))
	app.Settings = settings.WithDefaults()
	return &app
}

func (f *fixture) register(app *skein.App, clients ...string) {
	f.Helper()
	for _, id := range clients {
		_, err := f.CreateUser(f.Context(), skein.Actor{App: app}, id, nil)
		f.must(err)
	}
}

// backend is the server role, calling an op that a client needs to be a manager for:
// the server role meets every need.
func (f *fixture) backend() skein.Actor { return skein.Actor{App: f.shop, Need: skein.NeedManager} }

// as is a client calling an op with this need.
func (f *fixture) as(client string, need skein.Need) skein.Actor {
	return skein.Actor{App: f.shop, Client: client, Need: need}
}

func (f *fixture) pass(d time.Duration) { f.clock.Add(d.Milliseconds()) }

// create is a new conversation by the backend.
func (f *fixture) create(t skein.ConvType, creator string, others ...string) skein.ID {
	f.Helper()
	c, err := f.CreateConversation(f.Context(), f.backend(), creator, others, skein.Conversation{Type: t})
	f.must(err)
	return c.ID
}

// withRoles is a group whose members have these roles.
func (f *fixture) withRoles(roles map[string]skein.Role) skein.ID {
	f.Helper()
	c := skein.Conversation{App: "shop", ID: skein.ID(uuid.New()), Type: skein.Group, Created: f.now(), Active: f.now()}
	var members []skein.Member
	for client, role := range roles {
		members = append(members, skein.Member{Client: client, Role: role, Joined: f.now()})
	}
	_, _, err := f.store.CreateConversation(f.Context(), c, members, store.MemberLimit{})
	f.must(err)
	return c.ID
}

// say stores n texts of Tom's.
func (f *fixture) say(conv skein.ID, n int) {
	f.Helper()
	var all sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		all.Go(func() {
			_, errs[i] = f.Send(f.Context(), f.as("Tom", skein.NeedMember), textOf(conv, "Tom", fmt.Sprint(i)))
		})
	}
	all.Wait()
	f.must(errors.Join(errs...))
}

func textOf(conv skein.ID, from, text string) skein.Draft {
	return skein.Draft{Message: skein.Message{Conv: conv, Sender: from, Body: skein.Body{Type: skein.TypeText, Text: text}}}
}

func (f *fixture) members(conv skein.ID) []string {
	f.Helper()
	page, total, err := f.Members(f.Context(), f.backend(), conv, skein.MemberQuery{})
	f.must(err)
	ids := []string{}
	for _, m := range page.Members {
		ids = append(ids, m.Client)
	}
	if total != len(ids) {
		f.Errorf("%d members said, %d listed", total, len(ids))
	}
	slices.Sort(ids)
	return ids
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatalf("got error %v", err)
	}
}

func (f *fixture) wantErr(what string, err, want error) {
	f.Helper()
	if !errors.Is(err, want) {
		f.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

// wantFault wants the sentinel about a field.
func (f *fixture) wantFault(what string, err, want error, field string) {
	f.Helper()
	var fault *skein.Fault
	if !errors.Is(err, want) || !errors.As(err, &fault) || fault.Field != field {
		f.Errorf("%s: got error %v, want %v about %q", what, err, want, field)
	}
}

func wantEqual[T any](f *fixture, what string, got, want T) {
	f.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		f.Errorf("%s:\ngot  %s\nwant %s", what, g, w)
	}
}

// wantTold wants what was told since it was asked last.
func (f *fixture) wantTold(what string, want ...string) {
	f.Helper()
	f.mu.Lock()
	got := f.told
	f.told = nil
	f.mu.Unlock()
	wantEqual(f, what+": told", got, want)
}

func (f *fixture) note(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, fmt.Sprintf(format, args...))
}

// recorder notes the events of the use cases.
type recorder struct{ f *fixture }

func (e recorder) RingAll(_ string, _ skein.ID, seq, _ int64) { e.f.note("doorbell seq %d", seq) }
func (e recorder) Say(m skein.Committed)                      { e.f.note("msg %s %q seq %d", m.Sender, m.Text, m.Seq) }

func (e recorder) Tell(n skein.Notice) {
	audience := "members"
	if n.Audience != nil {
		audience = fmt.Sprint(n.Audience)
	}
	e.f.note("%s by %q %v also %v audience %s%s", n.Kind, n.By, n.Clients, n.Also, audience, rest(n))
}

// rest is what notices of some kinds say besides.
func rest(n skein.Notice) (text string) {
	switch n.Kind {
	case skein.EventRead:
		text = fmt.Sprint(" ", n.Positions)
	case skein.EventTyping:
		text = fmt.Sprintf(" except %q on %v", n.Except, n.On)
	case skein.EventConvUpdated:
		if n.View != nil {
			text = " view"
		}
	}
	if n.Gather {
		text += " gathered but for " + n.Except
	}
	if n.Session != "" {
		text += " not to " + n.Session
	}
	return text
}

func (e recorder) Cut(c skein.Cut) { e.f.note("cut %s %q %s", c.Client, c.Device, c.Reason) }

// second is the error of a call that also returns something else.
func second[T any](_ T, err error) error { return err }
