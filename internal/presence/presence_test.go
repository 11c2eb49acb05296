package presence

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
)

func TestWhoIsOnlineAndOnWhat(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.come("1", "Tom/ios")
		w.come("2", "Tom/web")
		w.come("3", "Tom/web")
		w.come("4", "Jerry/")
		w.check("all", w.get("Tom", "Jerry", "Nobody"), "Tom:ios+web Jerry:other Nobody:")
		w.leave("1")
		w.check("one device less", w.get("Tom"), "Tom:web")
		w.check("no question", w.get(), "")
	})
}

func TestASessionIsToldWhatDiffersOnceASecond(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.come("ann", "Ann/web")
		w.come("1", "Tom/ios")
		w.check("answer", w.watchBy("ann", "Tom", "Jerry"), "Tom:ios Jerry:")
		pass(1500 * time.Millisecond)
		w.check("nothing changed", w.told("ann"), "")

		w.come("2", "Jerry/web")
		w.come("3", "Spike/web") // nobody asked
		w.come("4", "Tom/web")
		pass(time.Second)
		w.check("two came", w.told("ann"), "Jerry:web Tom:ios+web")
		pass(5 * time.Second)
		w.check("told once", w.told("ann"), "")
	})
}

func TestAReconnectIsInvisible(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.come("ann", "Ann/web")
		w.come("1", "Tom/ios")
		w.watchBy("ann", "Tom")
		pass(500 * time.Millisecond)
		for i := range 5 { // a phone in a tunnel
			w.leave(fmt.Sprint(i + 1))
			pass(1900 * time.Millisecond)
			w.come(fmt.Sprint(i+2), "Tom/ios")
			pass(100 * time.Millisecond)
		}
		w.check("told", w.told("ann"), "")

		left := time.Now()
		w.leave("6")
		pass(2 * time.Second)
		w.check("within the grace", w.told("ann"), "")
		pass(time.Second)
		w.check("after it", w.told("ann"), fmt.Sprint("Tom:-", skein.MillisOf(left)-bubble))
		pass(5 * time.Second)
		w.check("told once", w.told("ann"), "")
	})
}

// A device that goes is waited for as well, and one that comes is told at once.
func TestOneDeviceOfTwo(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.come("ann", "Ann/web")
		w.come("1", "Tom/ios")
		w.come("2", "Tom/web")
		w.watchBy("ann", "Tom")
		pass(500 * time.Millisecond)
		w.leave("2")
		w.come("3", "Tom/desktop")
		pass(time.Second)
		w.check("one more", w.told("ann"), "Tom:ios+web+desktop")
		pass(2 * time.Second)
		w.check("one less", w.told("ann"), "Tom:ios+desktop")
	})
}

func TestAListReplacesTheOneBefore(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.come("ann", "Ann/web")
		w.watchBy("ann", "Tom", "Jerry")
		w.watchBy("ann", "Jerry", "Spike")
		w.come("1", "Tom/ios")
		w.come("2", "Jerry/ios")
		w.come("3", "Spike/ios")
		pass(1500 * time.Millisecond)
		w.check("told", w.told("ann"), "Jerry:ios Spike:ios")
		w.check("the end", w.watchBy("ann"), "")
		w.leave("2")
		pass(5 * time.Second)
		w.check("told after the end", w.told("ann"), "")
		w.checkEmpty()
	})
}

// What the session knew before may still be on its way when a new list is answered,
// and then comes behind the answer.
func TestAnAnswerThatDiffersFromWhatWasToldIsToldAgain(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.come("ann", "Ann/web")
		w.watchBy("ann", "Tom")
		w.come("1", "Tom/ios")
		w.check("the answer", w.watchBy("ann", "Tom", "Jerry"), "Tom:ios Jerry:")
		w.check("asked again", w.watchBy("ann", "Jerry", "Tom"), "Jerry: Tom:ios")
		pass(1500 * time.Millisecond)
		w.check("once more", w.told("ann"), "Tom:ios")
		w.leave("1")
		pass(100 * time.Millisecond)
		w.check("in the grace", w.watchBy("ann", "Tom"), "Tom:ios")
		w.come("2", "Tom/ios")
		pass(5 * time.Second)
		w.check("never away", w.told("ann"), "")
	})
}

func TestWhoHasGoneIsForgotten(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		for i := range 10 {
			w.come(fmt.Sprint("ann", i), "Ann/web")
			w.watchBy(fmt.Sprint("ann", i), "Tom", "Jerry", fmt.Sprint("own", i))
		}
		for i := range 10 {
			w.leave(fmt.Sprint("ann", (i*7)%10))
		}
		pass(5 * time.Second)
		w.checkEmpty()

		w.watchBy("late", "Tom") // its session is gone before its list is in
		w.checkEmpty()
	})
}

// checkEmpty wants nothing to be watched and nothing kept for it.
func (w *world) checkEmpty() {
	w.Helper()
	w.Presence.mu.Lock()
	defer w.Presence.mu.Unlock()
	n := w.watches
	if len(n.targets)+len(n.sessions) != 0 || w.limit.Taken() != 0 || w.news.watching.Load() != 0 {
		w.Errorf("%d targets, %d sessions, %d places taken, %d watching, want none", len(n.targets), len(n.sessions), w.limit.Taken(), w.news.watching.Load())
	}
}

func TestWhoMayKnow(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.come("ann", "Ann/web")
		w.come("1", "Tom/ios")
		w.watchBy("ann", "Tom")
		backend := w.actor("", "")
		if _, err := w.Subscribe(t.Context(), backend, []string{"Tom"}); !errors.Is(err, skein.ErrForbidden) {
			t.Errorf("a subscription without a session: got %v", err)
		}
		w.settings(func(s *skein.Settings) { s.HidePresence = true })
		for _, ask := range []func() ([]skein.Presence, error){
			func() ([]skein.Presence, error) { return w.Of(t.Context(), w.actor("Ann", "ann"), []string{"Tom"}) },
			func() ([]skein.Presence, error) { return w.Subscribe(t.Context(), w.actor("Ann", "ann"), nil) },
		} {
			if _, err := ask(); !errors.Is(err, skein.ErrForbidden) {
				t.Errorf("a client where it is hidden: got %v", err)
			}
		}
		if list, err := w.Of(t.Context(), w.actor("", ""), []string{"Tom"}); words(list) != "Tom:ios" {
			t.Errorf("the backend: got %v, %v", list, err)
		}
		w.leave("1")
		pass(5 * time.Second)
		w.check("a list from before", w.told("ann"), "")
		w.checkEmpty()
	})
}

func TestTooManyWatchesAreRefused(t *testing.T) {
	inWorld(t, Options{MaxWatches: 10}, func(w *world) { // of which an app has half
		w.come("ann", "Ann/web")
		w.come("ben", "Ben/web")
		w.watchBy("ann", "a", "b", "c")
		if _, err := w.Subscribe(t.Context(), w.actor("Ben", "ben"), []string{"a", "b", "c"}); !errors.Is(err, skein.ErrUnavailable) {
			t.Errorf("three more of five: got %v", err)
		}
		w.watchBy("ben", "a", "b")
		w.watchBy("ann", "d", "e", "f") // instead of the three before
		w.watchBy("ann")
		w.watchBy("ben", "1", "2", "3", "4", "5")
		other := skein.Actor{App: &skein.App{ID: "other"}, Client: "Eve", Session: "eve"}
		for watched, want := range map[int]error{2: nil, 3: skein.ErrUnavailable} { // half of what is left
			if _, err := w.Subscribe(t.Context(), other, []string{"1", "2", "3"}[:watched]); !errors.Is(err, want) {
				t.Errorf("another app watches %d: got %v, want %v", watched, err, want)
			}
		}
	})
}

func TestAnAppThatCannotBeReadIsToldOfLater(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.come("ann", "Ann/web")
		w.watchBy("ann", "Tom")
		w.mu.Lock()
		w.appErr = errAway
		w.mu.Unlock()
		w.come("1", "Tom/ios")
		pass(5 * time.Second)
		w.check("meanwhile", w.told("ann"), "")
		w.mu.Lock()
		w.appErr = nil
		w.mu.Unlock()
		pass(time.Second)
		w.check("then", w.told("ann"), "Tom:ios")
		w.mu.Lock()
		w.appErr = skein.ErrUnknownApp
		w.mu.Unlock()
		w.come("2", "Tom/web")
		pass(2 * time.Second)
		w.check("of an app that is gone", w.told("ann"), "")
		w.checkEmpty()
	})
}

// Whatever came and went, and however lists were replaced, in the end everybody knows
// what is.
func TestInTheEndEverybodyKnowsWhatIs(t *testing.T) {
	for seed := range uint64(20) {
		inWorld(t, Options{}, func(w *world) {
			random := rand.New(rand.NewPCG(seed, 1))
			clients, watchers := []string{"A", "B", "C", "D", "E"}, []string{"w1", "w2", "w3"}
			lists := map[string][]string{}
			knows := map[string]map[string]string{} // by watcher, then client
			learn := func(who, said string) {
				for one := range strings.FieldsSeq(strings.ReplaceAll(said, "|", "")) {
					client, state, _ := strings.Cut(one, ":")
					state, _, _ = strings.Cut(state, "-")
					knows[who][client] = state
				}
			}
			for _, who := range watchers {
				w.come(who, "Ann/web")
			}
			for range 300 {
				session := fmt.Sprint("s", random.IntN(8))
				switch client := clients[random.IntN(len(clients))]; random.IntN(4) {
				case 0, 1:
					if w.Attached("", "", session) {
						w.leave(session)
					} else {
						w.come(session, client+"/"+[]string{"ios", "web"}[random.IntN(2)])
					}
				case 2:
					who := watchers[random.IntN(len(watchers))]
					list := clients[:random.IntN(len(clients)+1)]
					lists[who], knows[who] = list, map[string]string{}
					learn(who, w.watchBy(who, list...))
					learn(who, w.told(who)) // held back for the command, they come behind its answer
				case 3:
					pass(time.Duration(random.IntN(3000)) * time.Millisecond)
					for _, who := range watchers {
						if knows[who] != nil && random.IntN(2) == 0 {
							learn(who, w.told(who))
						}
					}
				}
			}
			pass(5 * time.Second)
			for _, who := range watchers {
				if knows[who] == nil {
					continue
				}
				learn(who, w.told(who))
				for _, client := range lists[who] {
					want := strings.Join(w.Devices("shop", client).Words(), "+")
					if got := knows[who][client]; got != want {
						t.Errorf("seed %d: %s knows %q of %s, want %q", seed, who, got, client, want)
					}
				}
			}
		})
	}
}

func TestAWatchCostsWhatIsSaid(t *testing.T) {
	w := newWatches()
	const sessions, each = 100, skein.MaxPresence
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for s := range sessions {
		clients := make([]string, each)
		for i := range clients {
			clients[i] = fmt.Sprintf("%064d", s*each+i) // the longest there are, each on one list alone
		}
		w.replace(subscriber{"shop", "Ann", fmt.Sprint(s)}, clients, func(*target, skein.DeviceSet) skein.DeviceSet { return 0 })
	}
	per := (heap() - before) / (sessions * each)
	t.Logf("%d bytes", per)
	if per > 300 {
		t.Errorf("%d bytes a watch, want at most the 300 that Options say", per)
	}
	runtime.KeepAlive(w)
}

func TestWhatIsMeasured(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	inWorld(t, Options{Registerer: reg}, func(w *world) {
		w.come("ann", "Ann/web")
		w.watchBy("ann", "Tom", "Jerry")
		w.come("1", "Tom/ios")
		pass(1500 * time.Millisecond)
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{}
		for _, f := range families {
			m := f.GetMetric()[0]
			got[f.GetName()] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
		want := map[string]float64{
			"skein_presence_subscriptions": 1, "skein_presence_watches": 2, "skein_presence_frames_total": 1,
			"skein_presence_lost_sightings_total": 0,
		}
		w.check("metrics", fmt.Sprint(got), fmt.Sprint(want))
	})
}
