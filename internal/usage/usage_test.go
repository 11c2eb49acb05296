package usage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// keeper is a store that remembers what it is told.
type keeper struct {
	refuse  error
	reports []store.UsageReport
	used    map[string]*store.UsedToday
	warned  []string
}

func (k *keeper) AddUsage(_ context.Context, r store.UsageReport) ([]store.UsedToday, error) {
	if k.refuse != nil {
		return nil, k.refuse
	}
	r.Apps = append([]store.AppUsage(nil), r.Apps...)
	k.reports = append(k.reports, r)
	all := make([]store.UsedToday, len(r.Apps))
	for i, a := range r.Apps {
		u := k.used[a.App]
		if u == nil {
			continue // unknown
		}
		u.Day = r.Day
		u.Messages += a.Messages
		u.Deliveries += a.Deliveries
		u.Connections = max(u.Connections, a.Connections)
		all[i] = *u
	}
	return all, nil
}

func (*keeper) Usage(context.Context, string, skein.Day, skein.Day) ([]skein.Usage, error) {
	return nil, nil
}

func (*keeper) KeyUses(context.Context, string) (map[string]skein.Millis, error) {
	return map[string]skein.Millis{}, nil
}

func (k *keeper) WarnOfQuota(_ context.Context, app string, w skein.QuotaWarning) error {
	q, _ := skein.QuotaNamed(w.Quota)
	k.used[app].Warned |= 1 << q
	k.warned = append(k.warned, fmt.Sprintf("%s %s %d/%d", app, w.Quota, w.Used, w.Limit))
	return nil
}

type fixture struct {
	*testing.T
	*Meter
	*keeper

	now      time.Time
	sessions map[string]int
	settings skein.Settings
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{T: t, now: time.UnixMilli(1_790_000_000_000), keeper: &keeper{used: map[string]*store.UsedToday{"shop": {}, "game": {}}}}
	f.Meter = New(Options{
		Store: f.keeper, Sessions: func() map[string]int { return f.sessions },
		Settings: func(context.Context, string) (skein.Settings, error) { return f.settings, nil },
		Now:      func() time.Time { return f.now }, Log: slog.New(slog.DiscardHandler),
	})
	return f
}

// pass lets a time pass and counts the sessions then.
func (f *fixture) pass(d time.Duration) {
	f.now = f.now.Add(d)
	f.sample(f.Context())
}

func sent(apps ...string) (all []skein.Committed) {
	for _, app := range apps {
		m := skein.Committed{App: strings.TrimSuffix(app, "+")}
		if m.App != app {
			m.Change = &skein.Change{}
		}
		all = append(all, m)
	}
	return all
}

func (f *fixture) want(what string, want ...string) {
	f.Helper()
	var got []string
	for _, r := range f.reports {
		for _, a := range r.Apps {
			got = append(got, fmt.Sprintf("%s %d %d %d", a.App, a.Messages, a.Deliveries, a.Connections))
		}
		for _, k := range r.Keys {
			got = append(got, fmt.Sprintf("%s/%s %d", k.App, k.Name, k.At))
		}
	}
	f.reports = nil
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		f.Errorf("%s:\ngot  %q\nwant %q", what, got, want)
	}
}

func TestWhatWasCountedIsStoredOnceAMinuteAndOnce(t *testing.T) {
	f := newFixture(t)
	f.Committed(sent("shop", "shop", "shop+", "shop"))
	f.Delivered("shop", 5)
	f.Delivered("shop", 0)
	f.sessions = map[string]int{"shop": 7}
	f.pass(time.Second)
	f.sessions = map[string]int{"shop": 2}
	f.pass(time.Second)
	f.want("within the minute")
	f.pass(time.Minute)
	f.want("after the minute, with its most sessions", "shop 3 5 7")
	f.sessions = nil
	f.pass(time.Minute)
	f.want("after the next", "shop 0 0 2")
	f.pass(time.Minute)
	f.want("after one without use")
	f.Committed(sent("shop"))
	f.Close(f.Context())
	f.want("at the end", "shop 1 0 0")
}

func TestWhatCannotBeStoredIsKeptForTheNextMinute(t *testing.T) {
	f := newFixture(t)
	f.Committed(sent("shop"))
	f.KeyUsed("shop", "default", 9_000)
	f.sessions = map[string]int{"shop": 3}
	f.pass(0)
	f.refuse = errors.New("away")
	f.pass(time.Minute)
	f.sessions, f.refuse = nil, nil
	f.Committed(sent("shop"))
	f.pass(time.Minute)
	f.want("the counts of two minutes, the sessions of the last one, the key", "shop 2 0 3", "shop/default 9000")
	if got := gather(t, f.stored)["skein_usage_stored_total failed"]; got != 2 {
		t.Errorf("failed additions: got %v, want 2: of apps and of keys", got)
	}
}

func TestTheLastUseOfAKeyIsStoredAndForgottenInMemoryWhenItIsOld(t *testing.T) {
	f := newFixture(t)
	at := skein.MillisOf(f.now)
	for _, ms := range []skein.Millis{0, 10, 999, 1001, 1500} {
		f.KeyUsed("shop", "default", at+ms)
	}
	f.pass(time.Minute)
	f.want("known to a second", fmt.Sprintf("shop/default %d", at+1001))
	f.pass(time.Minute)
	f.want("without a use")
	f.now = f.now.Add(2 * time.Hour)
	f.KeyUsed("shop", "other", skein.MillisOf(f.now))
	f.pass(time.Minute)
	if len(f.keys) != 1 {
		t.Errorf("keys in memory after two hours: got %d, want the used one", len(f.keys))
	}
}

func TestAQuotaIsWarnedOfOnce(t *testing.T) {
	f := newFixture(t)
	f.settings = skein.Settings{QuotaMessages: 10, QuotaConnections: 100}
	f.Committed(sent("shop", "shop", "shop", "shop", "shop", "shop", "shop", "game", "gone"))
	f.pass(time.Minute)
	if len(f.warned) != 0 {
		t.Errorf("at 7 of 10: got %q, want no warning", f.warned)
	}
	for range 3 {
		f.Committed(sent("shop"))
		f.pass(time.Minute)
	}
	if want := "shop messages 8/10"; strings.Join(f.warned, ", ") != want {
		t.Errorf("at 10 of 10: got %q, want %q", f.warned, want)
	}
}

func TestOnlyTheFirstAppsHaveMetricsOfTheirOwn(t *testing.T) {
	f := newFixture(t)
	for i := range maxNamed + 20 {
		f.Delivered(fmt.Sprintf("app%03d", i), 1)
	}
	f.sessions = map[string]int{"app000": 2, "app100": 3, "unknown": 4}
	got := gather(t, collector{f.Meter})
	if len(got) != 3*(maxNamed+1) {
		t.Errorf("got %d series, want %d", len(got), 3*(maxNamed+1))
	}
	for series, want := range map[string]float64{
		"skein_app_deliveries_total app000": 1, "skein_app_deliveries_total ~other": 20, "skein_app_sessions app000": 2, "skein_app_sessions ~other": 7,
	} {
		if got[series] != want {
			t.Errorf("%s: got %v, want %v", series, got[series], want)
		}
	}
}

// gather is the values of a collector by the name and the label of the series.
func gather(t *testing.T, c prometheus.Collector) map[string]float64 {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(c)
	all, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, family := range all {
		for _, m := range family.GetMetric() {
			values[family.GetName()+" "+m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return values
}

func TestManyGoroutinesCountWhileTheCountsAreStored(t *testing.T) {
	f := newFixture(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 500 {
				f.Committed(sent("shop", "game"))
				f.Delivered("shop", 2)
				f.KeyUsed("shop", fmt.Sprint(i%3), skein.Millis(i))
			}
		})
	}
	for range 20 {
		f.pass(time.Minute)
	}
	all.Wait()
	f.Close(t.Context())
	if shop, game := f.used["shop"], f.used["game"]; shop.Messages != 2000 || shop.Deliveries != 4000 || game.Messages != 2000 {
		t.Errorf("stored: got %+v and %+v, want all that was counted", shop, game)
	}
}

// BenchmarkCount is what counting costs a delivery and a call with a key.
func BenchmarkCount(b *testing.B) {
	m := New(Options{Now: time.Now})
	for i := range 1000 {
		m.Delivered(fmt.Sprint("app", i), 1)
	}
	one := sent("app7")
	b.Run("stored", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.Committed(one)
		}
	})
	b.Run("delivered", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.Delivered("app7", 1)
		}
	})
	b.Run("key", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.KeyUsed("app7", "default", 5)
		}
	})
	b.Run("delivered by all processors", func(b *testing.B) {
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				m.Delivered("app7", 1)
			}
		})
	})
}
