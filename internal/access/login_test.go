package access

import (
	"testing"
	"time"

	"github.com/skein-im/skein"
)

func TestLoginIsForTheHolderOfTheTokenAndItsDevice(t *testing.T) {
	for name, tt := range map[string]struct {
		claims         map[string]any
		client, device string
		want           error
	}{
		"its own":                  {nil, "Tom", "phone", nil},
		"its own device":           {map[string]any{"dev": "phone"}, "Tom", "phone", nil},
		"another client":           {nil, "Jerry", "phone", skein.ErrForbidden},
		"another device":           {map[string]any{"dev": "phone"}, "Tom", "pad", skein.ErrForbidden},
		"limited to other actions": {map[string]any{"act": []string{"msg.send"}}, "Tom", "phone", nil},
		"not registered yet":       {map[string]any{"sub": "New"}, "New", "phone", nil},
		"no client":                {nil, "", "phone", skein.ErrForbidden},
	} {
		f := newFixture(t, skein.Settings{})
		by, err := f.Login(t.Context(), Login{
			App: "shop", Client: tt.client, Device: tt.device, Token: tokenOf(start, tt.claims).String(),
		})
		if tt.want != nil {
			f.wantErr(name, err, tt.want)
			continue
		}
		if err != nil || by.Client != tt.client || by.Device != tt.device || by.App.ID != "shop" {
			t.Errorf("%s: got client %q on %q and error %v, want %q on %q", name, by.Client, by.Device, err, tt.client, tt.device)
		}
	}
}

func TestLoginRefusesWhoIsBannedOrCut(t *testing.T) {
	for name, tt := range map[string]struct {
		client skein.Client
		want   error
	}{
		"banned":                      {skein.Client{BannedUntil: skein.Forever}, skein.ErrBanned},
		"cut":                         {skein.Client{Cut: start}, skein.ErrUnauthenticated},
		"deleted since it was issued": {skein.Client{Cut: start, Deleted: true}, skein.ErrUnauthenticated},
		"deleted before":              {skein.Client{Cut: start - 1000, Deleted: true}, nil},
	} {
		f := newFixture(t, skein.Settings{})
		tt.client.App, tt.client.ID = "shop", "Tom"
		f.setClient(tt.client)
		_, err := f.Login(t.Context(), Login{App: "shop", Client: "Tom", Device: "phone", Token: tokenOf(start, nil).String()})
		if tt.want == nil {
			f.must(err)
			continue
		}
		f.wantErr(name, err, tt.want)
	}
}

func TestAnOpenAppAsksForNoTokenButForAnID(t *testing.T) {
	f := newFixture(t, skein.Settings{Open: true})
	login := func(client, token string) error {
		by, err := f.Login(t.Context(), Login{App: "shop", Client: client, Device: "phone", Token: token})
		if err == nil && (by.Client != client || by.Expires != 0) {
			t.Errorf("logged in as %q until %d, want %q without an end", by.Client, by.Expires, client)
		}
		return err
	}
	f.must(login("New", ""))
	f.wantErr("an id that is none", login("a b", ""), skein.ErrInvalidClientID)
	f.wantErr("no id", login("", ""), skein.ErrInvalidClientID)
	f.wantErr("a token that is none", login("Tom", "x"), skein.ErrUnauthenticated)
	f.setClient(skein.Client{App: "shop", ID: "Tom", BannedUntil: skein.Forever})
	f.wantErr("banned", login("Tom", ""), skein.ErrBanned)
}

func TestASessionEndsWithItsTokenAndTheLeewayOnlyLetsIn(t *testing.T) {
	sec := start / 1000 * 1000
	for name, tt := range map[string]struct{ exp, want skein.Millis }{
		"a token with time left":            {sec + 10_000, sec + 10_000},
		"a token that got in by the leeway": {sec - 10_000, sec + 50_000},
	} {
		f := newFixture(t, skein.Settings{})
		text := tokenOf(start, map[string]any{"exp": int64(tt.exp / 1000)}).String()
		by, err := f.Login(t.Context(), Login{App: "shop", Client: "Tom", Device: "phone", Token: text})
		if err != nil || by.Expires != tt.want {
			t.Errorf("%s: ends at %d with error %v, want %d", name, by.Expires, err, tt.want)
		}
	}
}

func TestFailedLoginsAreCountedByAddressAndClient(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	try := func(client, addr, token string) error {
		_, err := f.Login(t.Context(), Login{App: "shop", Client: client, Device: "phone", Addr: addr, Token: token})
		return err
	}
	right := tokenOf(start, nil).String()
	for range 11 { // the failure, and 10 a minute after it
		f.wantErr("a wrong token", try("Tom", "1.1.1.1", "x"), skein.ErrUnauthenticated)
	}
	f.wantErr("one more", try("Tom", "1.1.1.1", "x"), skein.ErrRateLimited)
	f.wantErr("another client", try("Jerry", "1.1.1.1", "x"), skein.ErrUnauthenticated)
	f.wantErr("another address", try("Tom", "2.2.2.2", "x"), skein.ErrUnauthenticated)
	f.pass(6 * time.Second)
	f.wantErr("six seconds later", try("Tom", "1.1.1.1", "x"), skein.ErrUnauthenticated)
	f.wantErr("and one more", try("Tom", "1.1.1.1", "x"), skein.ErrRateLimited)
	f.must(try("Tom", "1.1.1.1", right))
	f.wantErr("after a success the count is over", try("Tom", "1.1.1.1", "x"), skein.ErrUnauthenticated)
}

func TestAGoodTokenGetsInAfterAnyNumberOfBadOnes(t *testing.T) {
	for name, bad := range map[string]string{
		"no token":                "x",
		"another's signature":     func() string { t := tokenOf(start, nil); t.secret = "another"; return t.String() }(),
		"a good one that is over": tokenOf(start, map[string]any{"exp": int64(start/1000) - 3600}).String(),
		"a good one of another":   tokenOf(start, map[string]any{"sub": "Jerry"}).String(),
	} {
		f := newFixture(t, skein.Settings{})
		try := func(token string) error {
			_, err := f.Login(t.Context(), Login{App: "shop", Client: "Tom", Device: "phone", Addr: "1.1.1.1", Token: token})
			return err
		}
		var last error
		for range 200 {
			last = try(bad)
		}
		f.wantErr(name+", 200 times", last, skein.ErrRateLimited)
		if err := try(tokenOf(start, nil).String()); err != nil {
			t.Errorf("the good token after 200 of %s: got %v, want a login", name, err)
		}
	}
}

// Whoever guesses costs a signature, not a look into the store.
func TestFailuresBeyondTheRateAskNoStore(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	try := func() error {
		_, err := f.Login(t.Context(), Login{App: "shop", Client: "Tom", Device: "phone", Addr: "1.1.1.1", Token: "a.b.c"})
		return err
	}
	for range 12 {
		_ = try() // counted
	}
	f.mu.Lock()
	f.away = skein.ErrUnavailable
	f.mu.Unlock()
	f.wantErr("with the store away", try(), skein.ErrRateLimited)
}

// What is remembered of attempts is bounded in bytes: ids that none can be share
// one count, however long they are.
func TestAttemptsWithImpossibleIDsShareOneCount(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	limited := false
	for i := range 12 {
		long := string(make([]byte, 100+i))
		_, err := f.Login(t.Context(), Login{App: long, Client: long, Addr: "1.1.1.1"})
		limited = err != nil && err != skein.ErrUnauthenticated //nolint:errorlint // the bare sentinel
	}
	if !limited {
		t.Error("12 attempts, each with another long id, were all decided; want the last one refused by the count")
	}
}

func TestALoginThatCouldNotBeDecidedIsNoFailure(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	_, err := f.App(t.Context(), "shop")
	f.must(err)
	f.mu.Lock()
	f.away = skein.ErrUnavailable
	f.mu.Unlock()
	for range 50 {
		_, err := f.Login(t.Context(), Login{App: "shop", Client: "Tom", Token: tokenOf(start, nil).String()})
		f.wantErr("while the store is away", err, skein.ErrUnavailable)
	}
}
