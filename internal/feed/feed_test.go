package feed

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// consumer notes the seqs that it handles.
type consumer struct {
	mu   sync.Mutex
	seqs []int64
	fail int // times that Handle is yet to fail
}

func (c *consumer) handle(_ context.Context, entries []store.Entry) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail > 0 {
		c.fail--
		return errors.New("receiver is away")
	}
	for _, e := range entries {
		c.seqs = append(c.seqs, e.Seq)
	}
	return nil
}

func (c *consumer) want(t *testing.T, what string, from, to int64) {
	t.Helper()
	var want []int64
	for seq := from; seq <= to; seq++ {
		want = append(want, seq)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Equal(c.seqs, want) {
		t.Fatalf("%s: got %v, want %d to %d", what, c.seqs, from, to)
	}
}

// node is a runner at work until stop.
func node(t *testing.T, m *memory, name string, work func(context.Context, *Runner)) (r *Runner, stop func()) {
	t.Helper()
	r = New(Options{Store: m, Node: name})
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { work(ctx, r) })
	return r, func() {
		cancel()
		done.Wait()
	}
}

func consume(c *consumer, fromStart bool) func(context.Context, *Runner) {
	return func(ctx context.Context, r *Runner) {
		r.Consume(ctx, Consumer{Name: "hooks", FromStart: fromStart, Handle: c.handle})
	}
}

func TestAConsumerBeginsAtTheEndAndTheNextNodeGoesOnFromItsCursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.commit(5)
		var first, second consumer
		_, stop := node(t, m, "a", consume(&first, false))
		synctest.Wait()
		m.commit(2 * pageSize)
		time.Sleep(pollEvery)
		synctest.Wait()
		first.want(t, "node a", 6, 2*pageSize+5)
		stop()
		m.commit(1)
		_, stop = node(t, m, "b", consume(&second, false))
		defer stop()
		synctest.Wait()
		second.want(t, "node b", 2*pageSize+6, 2*pageSize+6)
	})
}

func TestAConsumerMayBeginWithAllThatIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.commit(3)
		var c consumer
		_, stop := node(t, m, "a", consume(&c, true))
		defer stop()
		synctest.Wait()
		c.want(t, "handled", 1, 3)
	})
}

func TestAWakeIsHeardAtOnceAndWhatOthersCommitWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var c consumer
		r, stop := node(t, m, "a", consume(&c, true))
		defer stop()
		synctest.Wait()
		m.commit(1)
		synctest.Wait()
		c.want(t, "before the wake", 1, 0)
		r.Wake()
		synctest.Wait()
		c.want(t, "after the wake", 1, 1)
		m.commit(1)
		time.Sleep(time.Second)
		synctest.Wait()
		c.want(t, "after a second", 1, 2)
	})
}

func TestAHandlerThatFailsGetsTheSameEntriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.commit(3)
		c := consumer{fail: 3}
		_, stop := node(t, m, "a", consume(&c, true))
		defer stop()
		time.Sleep(100*time.Millisecond + 200*time.Millisecond)
		synctest.Wait()
		c.want(t, "while it fails", 1, 0)
		time.Sleep(400 * time.Millisecond)
		synctest.Wait()
		c.want(t, "when it goes well", 1, 3)
	})
}

func TestAConsumerOutlastsAStoreThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.change(func(m *memory) { m.away = true })
		var c consumer
		_, stop := node(t, m, "a", consume(&c, true))
		defer stop()
		time.Sleep(time.Minute)
		m.change(func(m *memory) { m.away = false })
		m.commit(2)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		c.want(t, "handled", 1, 2)
		m.change(func(m *memory) { m.away = true })
		time.Sleep(time.Minute)
		m.commit(1)
		m.change(func(m *memory) { m.away = false })
		time.Sleep(10 * time.Second)
		synctest.Wait()
		c.want(t, "handled after the second time", 1, 3)
	})
}

func TestACursorOfAnotherHistoryBeginsAnewAsTheConsumerWants(t *testing.T) {
	for name, tt := range map[string]struct {
		fromStart bool
		from      int64
	}{
		"at the end":   {false, 3},
		"at the start": {true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory()
				m.commit(2)
				m.kept["hooks"] = "b7"
				var c consumer
				_, stop := node(t, m, "a", consume(&c, tt.fromStart))
				defer stop()
				synctest.Wait()
				m.commit(1)
				time.Sleep(pollEvery)
				synctest.Wait()
				c.want(t, "handled", tt.from, 3)
			})
		})
	}
}

func TestOneNodeWorksAndWhenItDiesAnotherTakesOverWithinFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		if _, ok, err := m.ClaimLease(t.Context(), "chores", "dead", leaseFor); !ok || err != nil {
			t.Fatal(ok, err)
		}
		begun := make(chan string, 10)
		work := func(ctx context.Context, r *Runner) {
			r.Alone(ctx, "chores", func(ctx context.Context, _ store.Lease) {
				begun <- r.opts.Node
				<-ctx.Done()
			})
		}
		stops := make(map[string]func())
		for _, name := range []string{"a", "b", "c"} {
			_, stops[name] = node(t, m, name, work)
		}
		start := time.Now()
		first := <-begun
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("taken over after %v, want 5s at the most", took)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(begun) > 0 {
			t.Fatalf("%s works beside %s", <-begun, first)
		}
		stops[first]()
		start = time.Now()
		second := <-begun
		if took := time.Since(start); took > claimEvery || second == first {
			t.Errorf("%s took over after %v, want another than %s after %v at the most: it was released", second, took, first, claimEvery)
		}
		for _, stop := range stops {
			stop()
		}
	})
}

func TestANodeThatCannotRenewStopsBeforeAnotherMayWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var stopped, until time.Time
		_, stop := node(t, m, "a", func(ctx context.Context, r *Runner) {
			r.Alone(ctx, "chores", func(ctx context.Context, _ store.Lease) {
				<-ctx.Done()
				if stopped.IsZero() {
					stopped = time.Now()
				}
			})
		})
		defer stop()
		time.Sleep(time.Minute + 500*time.Millisecond)
		m.change(func(m *memory) { m.away, until = true, m.leases["chores"].until })
		time.Sleep(leaseFor)
		synctest.Wait()
		if stopped.IsZero() || !stopped.Before(until) {
			t.Errorf("stopped at %v, want before the lease's end at %v", stopped, until)
		}
		m.change(func(m *memory) { m.away = false })
	})
}

func TestAConsumerWhoseLeaseWasTakenStopsAndWritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var c consumer
		r, stop := node(t, m, "a", consume(&c, true))
		defer stop()
		synctest.Wait()
		m.change(func(m *memory) {
			m.leases["hooks"] = grant{"b", 100, time.Now().Add(time.Hour)}
			m.kept["hooks"] = "a0"
		})
		m.commit(3)
		r.Wake()
		synctest.Wait()
		m.change(func(m *memory) {
			if m.kept["hooks"] != "a0" {
				t.Errorf("got cursor %s, want a0: the consumer wrote under a lost lease", m.kept["hooks"])
			}
		})
		m.commit(3)
		time.Sleep(time.Minute)
		synctest.Wait()
		c.want(t, "handled", 1, 3)
	})
}

func TestTheDoorbellRingsWhatMovedOneLookLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var rung []store.Moved
		var mu sync.Mutex
		_, stop := node(t, m, "a", func(ctx context.Context, r *Runner) {
			r.Doorbell(ctx, func(m store.Moved) {
				mu.Lock()
				defer mu.Unlock()
				rung = append(rung, m)
			}, func() {})
		})
		defer stop()
		synctest.Wait()
		want := func(what string, want []store.Moved) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if !reflect.DeepEqual(rung, want) {
				t.Fatalf("%s:\ngot  %+v\nwant %+v", what, rung, want)
			}
		}
		pages := [][]store.Moved{
			{{App: "shop", Conv: skein.ID{1}, LastSeq: 7, Changes: 2}},
			{{App: "game", Conv: skein.ID{2}, Edits: []store.Entry{{Kind: store.EntryConversationUpdated}}}},
		}
		m.change(func(m *memory) { m.moved = pages })
		time.Sleep(ringEvery)
		want("after one look", nil)
		time.Sleep(ringEvery)
		want("after two", slices.Concat(pages...))
		m.change(func(m *memory) { m.away = true })
		time.Sleep(time.Minute)
		more := []store.Moved{{App: "shop", Conv: skein.ID{3}, LastSeq: 1}}
		m.change(func(m *memory) { m.away, m.moved = false, append(m.moved, more) })
		time.Sleep(2 * ringEvery)
		want("after the store was away", append(slices.Concat(pages...), more...))
	})
}

func TestAnOperatorSeesHowAConsumerFares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.commit(3)
		registry := prometheus.NewRegistry()
		r := New(Options{Store: m, Node: "a", Registerer: registry})
		c := consumer{fail: 2}
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { consume(&c, true)(ctx, r) })
		time.Sleep(time.Second)
		synctest.Wait()
		got := make(map[string]float64)
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			m := f.GetMetric()[0]
			got[f.GetName()] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
		want := map[string]float64{"skein_feed_entries_total": 3, "skein_feed_errors_total": 2, "skein_feed_lag_seconds": 0, "skein_lease_held": 1}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		cancel()
		done.Wait()
	})
}
