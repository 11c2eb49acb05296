package admission

import (
	"errors"
	"testing"
	"time"
)

// open are options without any bound.
var open = Options{MaxSockets: -1, MaxUnauthenticated: -1, MaxPerAddress: -1, HandshakeRate: -1}

func TestEachBoundRefusesWithItsOwnError(t *testing.T) {
	for name, tt := range map[string]struct {
		bound  func(*Options)
		fits   int // sockets of one address that are accepted
		want   error
		reason string
	}{
		"sockets of an address":     {func(o *Options) { o.MaxPerAddress = 3 }, 3, ErrAddress, "address"},
		"sockets of the node":       {func(o *Options) { o.MaxSockets = 2 }, 2, ErrFull, "full"},
		"sockets not logged in":     {func(o *Options) { o.MaxUnauthenticated = 4 }, 2, ErrFull, "full"},
		"handshakes of one address": {func(o *Options) { o.HandshakeRate = 1 }, 20, ErrHandshakes, "handshakes"},
	} {
		t.Run(name, func(t *testing.T) {
			o, now := open, time.Unix(1_800_000_000, 0)
			tt.bound(&o)
			c := New(o)
			for i := range tt.fits {
				if err := c.Reserve("a", now); err != nil {
					t.Fatalf("socket %d of %d: %v", i+1, tt.fits, err)
				}
			}
			err := c.Reserve("a", now)
			if !errors.Is(err, tt.want) || Reason(err) != tt.reason {
				t.Errorf("one more: %v, reason %q; want %v, reason %q", err, Reason(err), tt.want, tt.reason)
			}
			if got := c.Sockets(); got != tt.fits {
				t.Errorf("%d sockets are counted, want %d: a refused one counts nothing", got, tt.fits)
			}
			c.Release("a")
			if err := c.Reserve("a", now.Add(time.Second)); err != nil {
				t.Errorf("after one left: %v", err)
			}
		})
	}
}

func TestAPenaltyCostsTheAddressHandshakes(t *testing.T) {
	o, now := open, time.Unix(1_800_000_000, 0)
	o.HandshakeRate = 1
	c := New(o)
	if err := c.Reserve("a", now); err != nil {
		t.Fatal(err)
	}
	c.Leave("a", "", 20, now)
	if err := c.Reserve("a", now); !errors.Is(err, ErrHandshakes) {
		t.Errorf("after a penalty of 20 handshakes: %v, want %v", err, ErrHandshakes)
	}
	if err := c.Reserve("a", now.Add(-time.Hour)); err != nil {
		t.Errorf("after the clock was set back: %v", err)
	}
}

func TestALoginMovesASocketFromItsAddressToItsApp(t *testing.T) {
	o, now := open, time.Unix(1_800_000_000, 0)
	o.MaxUnauthenticated = 2
	c := New(o)
	for range 2 {
		if err := c.Reserve("a", now); err != nil {
			t.Fatal(err)
		}
		if !c.LogIn("a", "shop", 2) {
			t.Fatal("the app has room for 2 sockets, and refused one")
		}
	}
	if c.LogIn("a", "shop", 2) {
		t.Error("a third socket logged in to an app that may have 2")
	}
	c.UndoLogIn("a", "shop")
	if err := c.Reserve("a", now); !errors.Is(err, ErrFull) {
		t.Errorf("beside the socket whose login was undone: %v, want %v", err, ErrFull)
	}
	c.Leave("a", "shop", 0, now)
	if c.LoggedIn() != 0 || c.Sockets() != 1 {
		t.Errorf("%d logged in of %d sockets, want 0 of 1", c.LoggedIn(), c.Sockets())
	}
}

func TestAnAppThatIsAloneMayHaveAllSocketsButAFew(t *testing.T) {
	for sockets, want := range map[int]struct{ alone, second, third int }{
		16_928: {16_672, 128, 64}, // a node that may open 20,000 files
		672:    {630, 21, 10},
		10:     {8, 1, 0},
	} {
		o := open
		o.MaxSockets = sockets
		c := New(o)
		for i, most := range []int{want.alone, want.second, want.third} {
			app, got := string(rune('a'+i)), 0
			for c.Reserve(app, time.Unix(1_800_000_000, 0)) == nil && c.LogIn(app, app, 0) {
				got++
			}
			if got != most {
				t.Errorf("of %d sockets app %s got %d, want %d", sockets, app, got, most)
			}
		}
	}
}
