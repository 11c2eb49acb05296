package presence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/skein-im/skein"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is presence over a made-up hub, store and app, on the clock of a bubble. Its
// sessions are "client/type" with an id.
type world struct {
	*testing.T
	*Presence

	mu        sync.Mutex
	sessions  map[string]string // id → client/type; guarded by mu
	frames    map[string][]string
	app       skein.App
	appErr    error
	seen      map[string]skein.Millis // guarded by mu
	writes    int                     // transactions; guarded by mu
	storeErr  error                   // guarded by mu
	onlineErr error                   // guarded by mu
	reading   time.Duration           // that an answer of the store is on its way; guarded by mu
}

// inWorld runs a test on a world that is closed behind it.
func inWorld(t *testing.T, opts Options, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{
			T: t, sessions: map[string]string{}, frames: map[string][]string{}, seen: map[string]skein.Millis{},
			app: skein.App{ID: "shop", Settings: skein.Settings{LastSeen: true}},
		}
		opts.Sessions, opts.Online, opts.Apps, opts.Store = w, w.Online, w, w
		w.Presence = New(opts)
		defer func() { w.Close(context.Background()) }()
		test(w)
	})
}

func (w *world) Devices(app, client string) (online skein.DeviceSet) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.sessions {
		who, kind, _ := strings.Cut(s, "/")
		if t, _ := skein.ParseDeviceType(kind); who == client && app == "shop" {
			online = online.With(t)
		}
	}
	return online
}

func (w *world) Online(_ context.Context, app string, clients []string) (map[string]skein.DeviceSet, error) {
	online := make(map[string]skein.DeviceSet)
	for _, client := range clients {
		if devices := w.Devices(app, client); devices != 0 {
			online[client] = devices
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return online, w.onlineErr
}

func (w *world) Attached(_, _, session string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sessions[session] != ""
}

func (w *world) DeliverTo(_, _, session string, frame []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frames[session] = append(w.frames[session], string(frame))
	return w.sessions[session] != ""
}

func (w *world) App(context.Context, string) (*skein.App, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	app := w.app
	return &app, w.appErr
}

func (w *world) Clients(_ context.Context, _ string, q skein.ClientQuery) (page skein.ClientPage, err error) {
	w.mu.Lock()
	defer func() {
		late := w.reading
		w.mu.Unlock()
		time.Sleep(late)
	}()
	for _, id := range q.IDs {
		if at, there := w.seen[id]; there && len(page.Clients) < q.Limit {
			page.Clients = append(page.Clients, skein.Client{ID: id, Seen: at})
		}
	}
	return page, w.storeErr
}

func (w *world) MarkSeen(_ context.Context, seen []skein.Sighting) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.storeErr != nil {
		return w.storeErr
	}
	w.writes++
	for _, s := range seen {
		w.seen[s.Client] = s.At
	}
	return nil
}

var errAway = errors.New("away")

// settings changes the app.
func (w *world) settings(change func(*skein.Settings)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.app.Settings)
}

func (w *world) breakStore(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.storeErr = err
}

// come attaches a session as the hub does.
func (w *world) come(session, client string) {
	w.mu.Lock()
	w.sessions[session] = client
	w.mu.Unlock()
	who, _, _ := strings.Cut(client, "/")
	w.Came("shop", who)
}

// leave ends a session as the hub does.
func (w *world) leave(session string) {
	w.mu.Lock()
	who, _, _ := strings.Cut(w.sessions[session], "/")
	delete(w.sessions, session)
	w.mu.Unlock()
	w.Left("shop", who, w.Devices("shop", who) == 0, true)
	w.Ended(session)
}

func (w *world) actor(client, session string) skein.Actor {
	w.mu.Lock()
	defer w.mu.Unlock()
	app := w.app
	return skein.Actor{App: &app, Client: client, Session: session}
}

// watch subscribes a session of Ann's and says what it is answered.
func (w *world) watchBy(session string, clients ...string) string {
	w.Helper()
	list, err := w.Subscribe(w.Context(), w.actor("Ann", session), clients)
	if err != nil {
		w.Fatalf("subscribe to %v: %v", clients, err)
	}
	return words(list)
}

func (w *world) get(clients ...string) string {
	w.Helper()
	list, err := w.Of(w.Context(), w.actor("Ann", ""), clients)
	if err != nil {
		w.Fatalf("presence of %v: %v", clients, err)
	}
	return words(list)
}

// words say "Tom:ios+web Jerry:-5000": who is online on what, or when it was, in ms
// since the bubble's beginning.
func words(list []skein.Presence) string {
	var all []string
	for _, p := range list {
		state := strings.Join(p.Devices.Words(), "+")
		if p.Seen != 0 {
			state += fmt.Sprint("-", p.Seen-bubble)
		}
		all = append(all, p.Client+":"+state)
	}
	return strings.Join(all, " ")
}

// bubble is when every bubble begins.
var bubble = skein.MillisOf(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))

// told are the frames that a session had since it was asked last, each as words.
func (w *world) told(session string) string {
	w.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, frame := range w.frames[session] {
		all = append(all, w.read(frame))
	}
	delete(w.frames, session)
	return strings.Join(all, " | ")
}

func (w *world) read(frame string) string {
	w.Helper()
	var f struct {
		Type string `json:"type"`
		Data struct {
			Clients []struct {
				ClientID string   `json:"client_id"`
				Online   int      `json:"online"`
				LastSeen int64    `json:"last_seen"`
				Devices  []string `json:"devices"`
			} `json:"clients"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(frame), &f); err != nil || f.Type != "presence" {
		w.Fatalf("frame %s: %v", frame, err)
	}
	var list []string
	for _, c := range f.Data.Clients {
		if (c.Online == 1) != (len(c.Devices) > 0) {
			w.Errorf("%s: online %d with devices %v", c.ClientID, c.Online, c.Devices)
		}
		state := strings.Join(c.Devices, "+")
		if c.LastSeen != 0 {
			state += fmt.Sprint("-", skein.Millis(c.LastSeen)-bubble)
		}
		list = append(list, c.ClientID+":"+state)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func (w *world) check(what, got, want string) {
	w.Helper()
	if got != want {
		w.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// pass lets time go by, to just behind the turns in it.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
