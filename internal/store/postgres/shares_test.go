package postgres_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/share"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres"
)

// lockTable makes every statement about a table wait until unlock is called.
func lockTable(t *testing.T, url, table string) (unlock func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err == nil {
		_, err = conn.Exec(t.Context(), `BEGIN; LOCK TABLE `+table+` IN ACCESS EXCLUSIVE MODE`)
	}
	if err != nil {
		t.Fatal(err)
	}
	unlock = sync.OnceFunc(func() { _ = conn.Close(context.Background()) })
	t.Cleanup(unlock)
	return unlock
}

// openPatient opens a store whose statements may wait for as long as a test needs.
func openPatient(t *testing.T, url string, registry prometheus.Registerer) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgres.Options{URL: url, Conns: 4, Limit: time.Hour, Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// gauge is the value of a metric for the queue "read".
func gauge(t *testing.T, registry *prometheus.Registry, name string) (value int) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && m.GetLabel()[0].GetValue() == "read" {
				value = int(m.GetGauge().GetValue())
			}
		}
	}
	return value
}

// Of four connections one app may hold three. Its slow reads wait in its own line, and calls of
// another app find a connection.
func TestSlowReadsOfOneAppDelayNoOtherApp(t *testing.T) {
	url, registry := server.Database(t), prometheus.NewRegistry()
	s := openPatient(t, url, registry)
	conv := newGroup(t, s)
	if err := s.CreateApp(t.Context(), skein.App{ID: "other"}); err != nil {
		t.Fatal(err)
	}
	unlock := lockTable(t, url, "messages")
	var slow sync.WaitGroup
	for range 8 {
		slow.Go(func() {
			if _, err := s.Messages(t.Context(), "app", conv, skein.SeqRange{Limit: 1}); err != nil {
				t.Error(err)
			}
		})
	}
	defer slow.Wait()
	defer unlock()
	figures := func() [2]int {
		return [2]int{gauge(t, registry, "skein_store_connections_in_use"), gauge(t, registry, "skein_store_calls_waiting")}
	}
	for sum := 0; sum < 8; runtime.Gosched() {
		sum = figures()[0] + figures()[1]
	}
	want := [2]int{3, 5}
	if got := figures(); got != want {
		t.Errorf("8 slow reads of one app: %d have a connection and %d wait, want %v", got[0], got[1], want)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // for a failure alone
	defer cancel()
	for range 20 {
		if app, err := s.App(ctx, "other"); err != nil || app.ID != "other" {
			t.Fatalf("a call of the other app: got %q, %v", app.ID, err)
		}
	}
	if got := figures(); got != want {
		t.Errorf("after the calls of the other app: %d have a connection and %d wait, want %v", got[0], got[1], want)
	}
}

// What waits for the database is not behind the gate of those who compute.
func TestACallGivesItsTurnUpWhileItWaitsForTheDatabase(t *testing.T) {
	url := server.Database(t)
	s := openPatient(t, url, nil)
	conv := newGroup(t, s)
	for table, call := range map[string]func(context.Context) error{
		"messages": func(ctx context.Context) error {
			_, err := s.Messages(ctx, "app", conv, skein.SeqRange{Limit: 1})
			return err
		},
		"sessions": func(ctx context.Context) error {
			_, err := s.EnterSession(ctx, store.Login{Session: store.Session{App: "app", Client: "ann", ID: "1", Node: "one"}})
			return err
		},
	} {
		gate, unlock := share.NewGate(1, 0), lockTable(t, url, table)
		ctx, pass := share.NewPass(t.Context())
		pass.Enter(gate, "app")
		ended := make(chan bool)
		go func() {
			_ = call(ctx) // a login may be refused
			ended <- pass.Leave()
		}()
		through := make(chan struct{})
		go func() {
			var other share.Pass
			other.Enter(gate, "other")
			other.Leave()
			close(through)
		}()
		select {
		case <-through:
		case <-time.After(time.Minute):
			t.Errorf("a call that waits for table %s keeps its turn", table)
		}
		unlock()
		if !<-ended {
			t.Errorf("after a call that waited for table %s it has its turn again, or should", table)
		}
	}
}
