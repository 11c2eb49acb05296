package cache

import (
	"context"
	"sync"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/storetest"
)

// deleting is an engine whose deletions of clients wait until they are released.
type deleting struct {
	store.Store

	begun, release chan struct{}
}

func (d *deleting) DeleteClient(ctx context.Context, app, id string, at skein.Millis, erase bool) ([]skein.ID, int64, error) {
	close(d.begun)
	<-d.release
	return d.Store.DeleteClient(ctx, app, id, at, erase)
}

// While an app deletes a client, which may take long, memory answers other apps.
func TestADeletionTakesNoOtherAppsMemory(t *testing.T) {
	s := open(t, storetest.Options{}, DefaultBytes)
	ctx := t.Context()
	for _, app := range []string{"busy", "quiet"} {
		if err := s.CreateApp(ctx, skein.App{ID: app}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.CreateClient(ctx, skein.Client{App: app, ID: "ann"}); err != nil {
			t.Fatal(err)
		}
	}
	engine := &deleting{Store: s.Store, begun: make(chan struct{}), release: make(chan struct{})}
	s.Store = engine
	var all sync.WaitGroup
	all.Go(func() {
		if _, _, err := s.DeleteClient(ctx, "busy", "ann", 1, false); err != nil {
			t.Error(err)
		}
	})
	<-engine.begun
	for app, want := range map[string]int64{"busy": 0, "quiet": 1} {
		before := s.hits.Load()
		for range 2 {
			if _, err := s.Client(ctx, app, "ann"); err != nil {
				t.Error(err)
			}
		}
		if got := s.hits.Load() - before; got != want {
			t.Errorf("app %s: memory answered %d of 2 reads, want %d", app, got, want)
		}
	}
	close(engine.release)
	all.Wait()
}
