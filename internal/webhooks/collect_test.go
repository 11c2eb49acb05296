package webhooks_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/webhooks"
)

// town is a Collector over a store, and who is online in it.
type town struct {
	*fixture
	*webhooks.Collector

	mu     sync.Mutex
	online map[string]bool
	fails  int // commits that are yet to fail
}

// CommitEvents fails some times before it commits.
func (s *townStore) CommitEvents(ctx context.Context, app string, entries []store.Entry) error {
	s.town.mu.Lock()
	fail := s.town.fails > 0
	if fail {
		s.town.fails--
	}
	s.town.mu.Unlock()
	if fail {
		return skein.ErrUnavailable
	}
	return s.Store.CommitEvents(ctx, app, entries)
}

type townStore struct {
	webhooks.Store

	town *town
}

func newTown(t *testing.T, events ...string) *town {
	t.Helper()
	w := &town{fixture: newFixture(t), online: map[string]bool{}}
	w.hook(func(s *skein.WebhookSettings) { s.Events, s.Ordered = events, true })
	w.Collector = webhooks.NewCollector(webhooks.CollectorOptions{
		Store: &townStore{w.store, w}, Turn: 50 * time.Millisecond, Grace: time.Millisecond,
		Online: func(_ context.Context, _ string, clients []string) (map[string]skein.DeviceSet, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			states := map[string]skein.DeviceSet{}
			for _, c := range clients {
				if w.online[c] {
					states[c] = 1
				}
			}
			return states, nil
		},
	})
	t.Cleanup(func() { w.Collector.Close(context.Background()) })
	return w
}

func (w *town) failOnce() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fails = 1
}

// comes lets a client come or leave on this node.
func (w *town) comes(client string, online bool) {
	w.mu.Lock()
	w.online[client] = online
	w.mu.Unlock()
	if online {
		w.Came("shop", client, true)
	} else {
		w.Left("shop", client, true)
	}
}

// told are the events of presence in the order in which they came, such as "online ann".
func (w *town) told() (all []string) {
	w.fixture.mu.Lock()
	defer w.fixture.mu.Unlock()
	for _, e := range w.taken {
		var data struct {
			ClientIDs []string `json:"client_ids"`
			Receipts  []struct {
				ClientID string `json:"client_id"`
				Read     int64  `json:"read_seq"`
				Received int64  `json:"received_seq"`
			}
		}
		w.must(json.Unmarshal(e.Data, &data))
		for _, c := range data.ClientIDs {
			all = append(all, e.Type[len("users."):]+" "+c)
		}
		for _, r := range data.Receipts {
			all = append(all, fmt.Sprintf("%s %d %d", r.ClientID, r.Read, r.Received))
		}
	}
	return all
}

// until lets something happen again until the receiver was told it: the Collector hears of a new endpoint with its next turn.
func (w *town) until(told string, happen func()) {
	w.Helper()
	w.eventually(told, func() bool {
		happen()
		return slices.Contains(w.told(), told)
	})
}

func TestAnEndpointIsToldWhoComesOnlineAndWhoGoesOffline(t *testing.T) {
	w := newTown(t, skein.HookUsersOnline, skein.HookUsersOffline)
	w.until("online ann", func() { w.comes("ann", true) })
	w.comes("ann", true) // with another device
	w.failOnce()
	w.comes("bob", true)
	w.eventually("bob is told, although a commit failed", func() bool { return slices.Contains(w.told(), "online bob") })
	w.Came("shop", "eve", false) // on another node, which tells it
	w.comes("ann", false)
	w.eventually("ann is told", func() bool { return slices.Contains(w.told(), "offline ann") })
	if got, want := w.told(), []string{"online ann", "online bob", "offline ann"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnEndpointIsToldTheNewestPlacesOfMembers(t *testing.T) {
	w := newTown(t, skein.HookReceiptsUpdated)
	conv := w.group(1)
	tell := func(at ...skein.Position) {
		w.Tell(skein.Notice{Kind: skein.EventRead, App: "shop", Conv: conv, Positions: at})
	}
	w.until("ann 1 1", func() { tell(skein.Position{Client: "ann", Read: 1, Received: 1}) })
	w.failOnce()
	tell(skein.Position{Client: "bob", Read: 1, Received: 3}, skein.Position{Client: "bob", Read: 2, Received: 2}) // in one turn
	w.eventually("bob's furthest place is told, although a commit failed", func() bool { return slices.Contains(w.told(), "bob 2 3") })
}

func TestWhatAnEndpointDoesNotNameIsNotCollected(t *testing.T) {
	w := newTown(t, skein.HookReceiptsUpdated)
	conv := w.group(1)
	w.until("ann 1 1", func() {
		w.comes("ann", true)
		w.Tell(skein.Notice{Kind: skein.EventRead, App: "shop", Conv: conv, Positions: []skein.Position{{Client: "ann", Read: 1, Received: 1}}})
	})
	entries, _, err := w.store.Feed(t.Context(), store.FeedStart, 1000)
	w.must(err)
	if i := slices.IndexFunc(entries, func(e store.Entry) bool { return e.Kind == store.EntryOnline }); i >= 0 {
		t.Errorf("got %+v in the feed, want nothing of who is online", entries[i])
	}
}
