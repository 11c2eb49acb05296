package access

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein"
)

// allowed is how many of n in a row are let through.
func allowed(t *testing.T, n int, do func() error) (ok int) {
	t.Helper()
	for range n {
		err := do()
		var fault *skein.Fault
		switch {
		case err == nil:
			ok++
		case !errors.Is(err, skein.ErrRateLimited) || !errors.As(err, &fault) || fault.Retry <= 0:
			t.Fatalf("got error %v, want %v with the time to come back", err, skein.ErrRateLimited)
		}
	}
	return ok
}

func TestAClientSendsABurstAndThenItsRate(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	app, err := f.App(t.Context(), "shop")
	f.must(err)
	send := func(client string) func() error {
		return func() error { return f.Charge(skein.Actor{App: app, Client: client}, 1) }
	}
	if got := allowed(t, 100, send("Tom")); got != 60 {
		t.Errorf("at once: %d messages, want the burst of 60", got)
	}
	if got := allowed(t, 100, send("Jerry")); got != 60 {
		t.Errorf("another client: %d messages, want its own 60", got)
	}
	f.pass(500 * time.Millisecond)
	if got := allowed(t, 100, send("Tom")); got != 10 {
		t.Errorf("half a second later: %d messages, want 10 of 20 a second", got)
	}
	if got := allowed(t, 1000, send("")); got != 1000 {
		t.Errorf("the server role: %d messages, want no limit", got)
	}
	other := &skein.App{ID: "other", Settings: app.Settings}
	if got := allowed(t, 100, func() error { return f.Charge(skein.Actor{App: other, Client: "Tom"}, 1) }); got != 60 {
		t.Errorf("the same name in another app: %d messages, want its own 60", got)
	}
}

func TestARateFollowsTheSettingsOfItsApp(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	send := func(s skein.Settings) func() error {
		app := &skein.App{ID: "shop", Settings: s}
		return func() error { return f.Charge(skein.Actor{App: app, Client: "Tom"}, 1) }
	}
	for _, tt := range []struct {
		settings skein.Settings
		want     int
	}{
		{skein.Settings{SendRate: 1, SendBurst: 2}, 2},
		{skein.Settings{SendRate: 1, SendBurst: 5}, 5},
		{skein.Settings{SendRate: -1, SendBurst: 5}, 100},
	} {
		if got := allowed(t, 100, send(tt.settings)); got != tt.want {
			t.Errorf("rate %d and burst %d: %d messages, want %d", tt.settings.SendRate, tt.settings.SendBurst, got, tt.want)
		}
		if more := (skein.Settings{SendRate: 1, SendBurst: 100}); tt.settings.SendRate > 0 {
			if got := allowed(t, 100, send(more)); got != 0 {
				t.Errorf("a greater burst, at once: %d more messages, want 0", got)
			}
		}
		f.pass(10 * time.Second)
	}
}

// On three nodes a backend that spreads its calls has its rate, not three times as much.
func TestNodesShareTheRateOfAKey(t *testing.T) {
	for name, tt := range map[string]struct{ rate, nodes, atOnce, inTwoSeconds int }{
		"one node":                      {60, 1, 60, 120},
		"three nodes":                   {60, 3, 20, 40},
		"more nodes than calls":         {2, 4, 1, 1},
		"the number is not known yet":   {60, 0, 60, 120},
		"a rate that cannot be divided": {10, 3, 3, 6},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, skein.Settings{RESTRate: tt.rate})
			f.live.Store(int64(tt.nodes))
			call := func() error {
				_, err := f.call(appKeyText, "")
				return err
			}
			if got := allowed(t, 200, call); got != tt.atOnce {
				t.Errorf("at once: %d calls, want %d", got, tt.atOnce)
			}
			got := 0
			for range 4 {
				f.pass(500 * time.Millisecond)
				got += allowed(t, 200, call)
			}
			if got != tt.inTwoSeconds {
				t.Errorf("in two seconds: %d calls, want %d", got, tt.inTwoSeconds)
			}
		})
	}
}

func TestARateFollowsTheNumberOfNodesAndGivesNothingAway(t *testing.T) {
	f := newFixture(t, skein.Settings{RESTRate: 60})
	call := func() error {
		_, err := f.call(appKeyText, "")
		return err
	}
	for i, tt := range []struct{ nodes, want int }{{1, 60}, {3, 0}, {2, 0}, {1, 0}} { // all tokens are spent
		f.live.Store(int64(tt.nodes))
		if got := allowed(t, 100, call); got != tt.want {
			t.Errorf("step %d, %d nodes at the same moment: %d calls, want %d", i, tt.nodes, got, tt.want)
		}
	}
	for _, tt := range []struct{ nodes, want int }{{3, 20}, {2, 30}, {1, 60}} {
		f.live.Store(int64(tt.nodes))
		_ = allowed(t, 1, call) // from now on the rate is the new one
		f.pass(10 * time.Second)
		if got := allowed(t, 100, call); got != tt.want {
			t.Errorf("%d nodes: %d calls at once, want %d", tt.nodes, got, tt.want)
		}
	}
}

func TestEachKeyHasItsRateOfCallsUnlessTheAppIsOpen(t *testing.T) {
	f := newFixture(t, skein.Settings{RESTRate: 50})
	app := f.apps["shop"]
	app.Keys = append(app.Keys, skein.AppKey{Name: "second", Hash: HashKey("second")})
	f.setApp(app)
	call := func(key string) func() error {
		return func() error {
			_, err := f.call(key, "")
			return err
		}
	}
	for _, key := range []string{appKeyText, "second"} {
		if got := allowed(t, 100, call(key)); got != 50 {
			t.Errorf("%q: %d calls at once, want 50", key, got)
		}
	}
	f.pass(100 * time.Millisecond)
	if got := allowed(t, 100, call("second")); got != 5 {
		t.Errorf("a tenth of a second later: %d calls, want 5 of 50 a second", got)
	}
	app.Settings.Open = true
	f.setApp(app)
	f.pass(appLife)
	if got := allowed(t, 1000, call("second")); got != 1000 {
		t.Errorf("an open app: %d calls, want no limit", got)
	}
}

func TestEachClientHasTheRateOfAKey(t *testing.T) {
	f := newFixture(t, skein.Settings{RESTRate: 50})
	for _, client := range []string{"Tom", "Jerry"} {
		f.setClient(skein.Client{App: "shop", ID: client})
		token, _, err := Mint(f.apps["shop"], Grant{Client: client, TTL: time.Hour}, start.Time(), 0)
		f.must(err)
		got := allowed(t, 100, func() error {
			_, err := f.call("", "Bearer "+token)
			return err
		})
		if got != 50 {
			t.Errorf("%s: %d calls at once, want 50", client, got)
		}
	}
}

func TestAWrongKeySpendsNothingOfTheRightOne(t *testing.T) {
	f := newFixture(t, skein.Settings{RESTRate: 1})
	for range 10 {
		_, err := f.call("guess", "")
		f.wantErr("a wrong key", err, skein.ErrUnauthenticated)
	}
	_, err := f.call(appKeyText, "")
	f.must(err)
}

func TestACallPaysForWhatItCosts(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	app := &skein.App{ID: "shop", Settings: skein.Settings{SendRate: 20, SendBurst: 60}}
	for name, tt := range map[string]struct {
		charges []int
		debit   int
		want    int // of the charges that are admitted
		left    int // single messages after them
	}{
		"within the burst":            {[]int{50, 10}, 0, 2, 0},
		"more than is left":           {[]int{50, 11}, 0, 1, 10},
		"more than the burst":         {[]int{1000}, 0, 1, 0},
		"more than the burst, late":   {[]int{1, 1000}, 0, 1, 59},
		"work that is done":           {[]int{50}, 50, 1, 0},
		"nothing more for work of 0":  {nil, 0, 0, 60},
		"work of more than the burst": {nil, 1000, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			by := skein.Actor{App: app, Client: strings.ReplaceAll(name, " ", "")}
			admitted := 0
			for _, n := range tt.charges {
				err := f.Charge(by, n)
				if err == nil {
					admitted++
				} else if !errors.Is(err, skein.ErrRateLimited) {
					t.Fatal(err)
				}
			}
			f.Debit(by, tt.debit)
			left := allowed(t, 100, func() error { return f.Charge(by, 1) })
			if admitted != tt.want || left != tt.left {
				t.Errorf("%+v: %d charges admitted, then %d messages", tt, admitted, left)
			}
		})
	}
	if err := f.Charge(skein.Actor{App: app}, 1000); err != nil {
		t.Errorf("the backend: got %v", err)
	}
}
