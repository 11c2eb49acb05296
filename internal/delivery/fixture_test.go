package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/bus/lossy"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for a frame: a bound on despair, on any machine.
const patience = time.Minute

// conv is the conversation of most tests; its last bytes choose its lane.
var conv = skein.ID{15: 1}

// fixture is delivery on a bus, a hub, and a store kept in memory.
type fixture struct {
	*testing.T
	*Delivery

	bus      bus.Bus // of another node
	network  *lossy.Network
	hub      *hub.Hub
	store    *memory
	registry *prometheus.Registry
	sessions int
}

func newFixture(t *testing.T, members ...string) *fixture {
	network := lossy.New(2, 1, lossy.Faults{})
	t.Cleanup(network.Close)
	nodes := network.Nodes()
	f := &fixture{
		T: t, bus: nodes[1], network: network, hub: hub.New(hub.Options{OutboxBytes: 1 << 30, OutboxFrames: 1 << 20}),
		store: &memory{members: members}, registry: prometheus.NewRegistry(),
	}
	f.Delivery = New(Options{
		Store: f.store, Bus: nodes[0], Hub: f.hub, Zone: time.UTC,
		Log: slog.New(slog.DiscardHandler), Registerer: f.registry,
	})
	t.Cleanup(func() {
		f.close(context.Background())
		if err := f.hub.Close(context.Background()); err != nil {
			t.Errorf("close the hub: %v", err)
		}
	})
	return f
}

// close closes delivery, once.
func (f *fixture) close(ctx context.Context) {
	if f.Delivery != nil {
		f.Delivery.Close(ctx)
		f.Delivery = nil
	}
}

// count is the value of a counter.
func (f *fixture) count(name string) int {
	f.Helper()
	families, err := f.registry.Gather()
	if err != nil {
		f.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			return int(family.GetMetric()[0].GetCounter().GetValue())
		}
	}
	f.Fatalf("no metric %s", name)
	return 0
}

// screen is a session and what it is shown.
type screen struct {
	t      *testing.T
	frames chan string

	mu    sync.Mutex
	ended string // code and reason of the close; guarded by mu
	over  chan struct{}
}

// login attaches a session of the app "shop".
func (f *fixture) login(client, device string) *screen { return f.loginTo("shop", client, device) }

func (f *fixture) loginTo(app, client, device string) *screen {
	f.Helper()
	return f.loginSeeing(app, client, device, skein.Snapshot{})
}

// loginSeeing attaches a session whose client could read the commits of a snapshot.
func (f *fixture) loginSeeing(app, client, device string, saw skein.Snapshot) *screen {
	f.Helper()
	s, enter := f.beginLogin(app, client, device)
	enter(saw)
	return s
}

// beginLogin attaches a session that enters when enter is called.
func (f *fixture) beginLogin(app, client, device string) (s *screen, enter func(skein.Snapshot)) {
	f.Helper()
	f.sessions++
	s = &screen{t: f.T, frames: make(chan string, 100_000), over: make(chan struct{})}
	session, err := f.hub.Attach(hub.Login{
		App: app, Client: client, Device: device, ID: fmt.Sprintf("%032x", f.sessions),
		Conn: s,
	})
	if err != nil {
		f.Fatalf("attach: %v", err)
	}
	f.Cleanup(session.Detach)
	return s, func(saw skein.Snapshot) {
		f.Helper()
		session.Enter(1, false, saw)
		session.Answer([]byte("hello"))
		if got := s.next(); got != "hello" {
			f.Fatalf("the first frame is %q", got)
		}
	}
}

func (s *screen) WriteFrames(frames [][]byte, _ func()) error {
	for _, f := range frames {
		s.frames <- string(f)
	}
	return nil
}

func (s *screen) Ping(func()) error { return nil }

func (s *screen) Close(code int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == "" {
		s.ended = fmt.Sprint(code, " ", reason)
		close(s.over)
	}
}

func (s *screen) next() string {
	s.t.Helper()
	select {
	case f := <-s.frames:
		return f
	case <-time.After(patience):
		s.t.Fatal("a frame did not come")
		return ""
	}
}

// until is all that was shown before the frame "end".
func (s *screen) until(end string) (shown []string) {
	s.t.Helper()
	for {
		f := s.next()
		if f == end {
			return shown
		}
		shown = append(shown, brief(f))
	}
}

// brief is a msg.new as "repaired <seq>", and any other frame as it is: messages
// that come by the bus have frames of the test's own making.
func brief(frame string) string {
	var f struct {
		Type string
		Data struct{ Seq int64 }
	}
	if json.Unmarshal([]byte(frame), &f) == nil && f.Type == skein.EventMessage {
		return fmt.Sprint("repaired ", f.Data.Seq)
	}
	return frame
}

// publish is what another node publishes.
func (f *fixture) publish(e bus.Event) { f.bus.Publish(&e) }

// event is a stored message as the bus carries it.
func event(seq int64) bus.Event {
	return bus.Event{App: "shop", Conv: conv, Seq: seq, Frame: []byte(fmt.Sprint(seq)), Sender: "Backend"}
}

// end tells clients the frame "end", behind all that was published for conv.
func (f *fixture) end(clients ...string) {
	f.publish(bus.Event{App: "shop", Conv: conv, Frame: []byte("end"), Audience: listeners(clients)})
}

func (f *fixture) wantShown(what string, s *screen, want ...string) {
	f.Helper()
	if got := s.until("end"); !slices.Equal(got, want) {
		f.Errorf("%s:\ngot  %v\nwant %v", what, got, want)
	}
}

// memory is the store as far as delivery reads it.
type memory struct {
	store.Store

	mu          sync.Mutex
	members     []string         // guarded by mu
	all         []skein.Listener // the members as they are; nil: see members
	away        error            // the answer to reads of messages; guarded by mu
	audienceErr error            // the answer to reads of the audience; guarded by mu
	deleted     bool             // guarded by mu
	end         int64            // the newest seq there is; 0: as many as are asked for; guarded by mu
	audience    int              // reads of the audience; guarded by mu
	roster      int64            // RosterRev of the conversation; guarded by mu
	atLeast     int64            // the revision that the last read of the audience asked for; guarded by mu
	asked       []skein.SeqRange // guarded by mu
	hidden      []skein.Hiding   // guarded by mu
	kind        skein.ChangeKind // of all changes; zero: edits
	joined      map[string]int64 // the first seq after joining of who has one other than 1; guarded by mu
	gate        chan struct{}    // reads of the audience wait for it; nil: they do not
	attended    chan struct{}    // told when a read of the audience waits
}

func (m *memory) Audience(ctx context.Context, app string, _ skein.ID, atLeast int64) ([]skein.Listener, int64, error) {
	if m.gate != nil {
		select {
		case m.attended <- struct{}{}:
		default:
		}
		select {
		case <-m.gate:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.audience++
	m.atLeast = atLeast
	if m.audienceErr != nil {
		return nil, 0, m.audienceErr
	}
	if app != "shop" || m.deleted {
		return nil, 0, nil
	}
	if m.all != nil {
		return m.all, 1, nil
	}
	all := make([]skein.Listener, 0, len(m.members))
	for _, client := range m.members {
		all = append(all, skein.NewListener(client, max(1, m.joined[client])))
	}
	return all, 1, nil
}

func (m *memory) Messages(_ context.Context, _ string, id skein.ID, r skein.SeqRange) ([]skein.Message, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, r)
	if m.away != nil {
		return nil, m.away
	}
	var out []skein.Message
	for seq := r.After + 1; seq < r.Before && (m.end == 0 || seq <= m.end) && len(out) < r.Limit; seq++ {
		out = append(out, skein.Message{
			Conv: id, Seq: seq, Sender: "Backend", Status: skein.StatusNormal,
			Body: skein.Body{Type: skein.TypeText, Text: "from the store"},
		})
	}
	return out, nil
}

func (m *memory) Conversation(_ context.Context, app string, id skein.ID, _ string) (skein.Conversation, *skein.Member, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.deleted {
		return skein.Conversation{}, nil, skein.ErrUnknownConversation
	}
	return skein.Conversation{App: app, ID: id, Type: skein.Group, LastSeq: m.end, RosterRev: m.roster}, nil, nil
}

func (m *memory) Changes(_ context.Context, _ string, id skein.ID, r skein.ChangeRange) (out []skein.Change, err error) {
	for seq := r.After + 1; len(out) < r.Limit; seq++ {
		out = append(out, skein.Change{Seq: seq, Kind: max(m.kind, skein.ChangeEdit), By: "Tom", Message: skein.Message{Conv: id, Seq: 1, Status: skein.StatusNormal, Body: skein.Body{Text: "repaired"}}})
	}
	return out, nil
}

func (m *memory) Hidden(_ context.Context, _ string, _ skein.ID, after int64) (all []skein.Hiding, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, h := range m.hidden {
		if h.Seq > after {
			all = append(all, h)
		}
	}
	return all, nil
}

// reads is how often messages or the audience were read.
func (m *memory) reads() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.audience + len(m.asked)
}

func (m *memory) set(change func(*memory)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(m)
}

var errAway = errors.New("away")
