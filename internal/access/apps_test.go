package access

import (
	"sync"
	"testing"
	"time"

	"github.com/skein-im/skein"
)

func TestAnAppIsFollowedWithinASecond(t *testing.T) {
	f := newFixture(t, skein.Settings{SendRate: 7})
	rate := func() int {
		app, err := f.App(t.Context(), "shop")
		f.must(err)
		return app.Settings.SendRate
	}
	if got := rate(); got != 7 {
		t.Fatalf("send rate %d, want 7", got)
	}
	app := f.apps["shop"]
	app.Settings.SendRate = 9
	f.setApp(app)
	f.pass(appLife - time.Millisecond)
	if got := rate(); got != 7 || f.reads["shop"] != 1 {
		t.Errorf("within a second: send rate %d after %d reads, want what was read once", got, f.reads["shop"])
	}
	f.pass(time.Millisecond)
	if got := rate(); got != 9 {
		t.Errorf("a second later: send rate %d, want 9", got)
	}
	f.mu.Lock()
	delete(f.apps, "shop")
	f.mu.Unlock()
	f.pass(appLife)
	_, err := f.App(t.Context(), "shop")
	f.wantErr("a second after it was deleted", err, skein.ErrUnknownApp)
	f.setApp(app)
	f.pass(appLife)
	if got := rate(); got != 9 {
		t.Errorf("created anew: send rate %d, want 9", got)
	}
	f.clock.Add(-time.Hour.Milliseconds())
	before := f.reads["shop"]
	if rate(); f.reads["shop"] != before+1 {
		t.Error("a clock that was put back: the record was trusted, want it read again")
	}
}

func TestAStoreThatIsAwayIsNoUnknownApp(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	f.away = skein.ErrUnavailable
	_, err := f.call(appKeyText, "")
	f.wantErr("a call", err, skein.ErrUnavailable)
	_, err = f.Login(t.Context(), Login{App: "shop", Client: "Tom", Token: tokenOf(start, nil).String()})
	f.wantErr("a login", err, skein.ErrUnavailable)
	f.mu.Lock()
	f.away = nil
	f.mu.Unlock()
	_, err = f.call(appKeyText, "")
	f.must(err)
}

func TestSettingsComeWithTheirDefaults(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	app, err := f.App(t.Context(), "shop")
	f.must(err)
	if want := (skein.Settings{}).WithDefaults(); app.Settings.SendRate != want.SendRate || app.Settings.MaxFileBytes != want.MaxFileBytes {
		t.Errorf("settings %+v, want the defaults %+v", app.Settings, want)
	}
}

// With -race this fails where anything is shared without its lock.
func TestCallersComeAllAtOnce(t *testing.T) {
	f := newFixture(t, skein.Settings{RESTRate: -1})
	header := "Bearer " + tokenOf(start, nil).String()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				f.pass(100 * time.Millisecond)
				if _, err := f.call(appKeyText, header); err != nil {
					t.Errorf("got error %v", err)
				}
				_, _ = f.Login(t.Context(), Login{App: "shop", Client: "Tom", Token: "x", Addr: "1.2.3.4"}) // refused
				_ = f.Charge(skein.Actor{App: &skein.App{ID: "shop"}, Client: "Tom"}, 1)                    // whether it is in its rate is not asked here
			}
		})
	}
	all.Wait()
}
