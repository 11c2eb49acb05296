package access

import (
	"fmt"
	"testing"
	"time"

	"github.com/skein-im/skein"
)

func TestAKeyHasTheServerRoleUntilItExpires(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	app := f.apps["shop"]
	app.Keys = []skein.AppKey{
		{Name: "old", Hash: HashKey("before"), Expires: start.Add(time.Hour)},
		{Name: "new", Hash: HashKey("after")},
	}
	f.setApp(app)
	for key, name := range map[string]string{"before": "old", "after": "new"} {
		by, err := f.call(key, "")
		f.must(err)
		if !by.Server() || by.Key != name || by.App.ID != "shop" {
			t.Errorf("key %q: got client %q by key %q of app %q, want the server role by %q", key, by.Client, by.Key, by.App.ID, name)
		}
	}
	f.pass(time.Hour - time.Millisecond)
	_, err := f.call("before", "")
	f.must(err)
	f.pass(time.Millisecond)
	_, err = f.call("before", "")
	f.wantErr("the old key at its end", err, skein.ErrUnauthenticated)
	_, err = f.call("after", "")
	f.must(err)
}

func TestAKeyMadeIsTheKeyKept(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		plain, hash := NewKey()
		if hash != HashKey(plain) || len(plain) != 32 || seen[plain] {
			t.Fatalf("key %q: hash kept %x, hash shown %x; want the same, 32 characters, never twice", plain, hash, HashKey(plain))
		}
		seen[plain] = true
	}
	if n := len(NewTokenSecret()); n < 32 {
		t.Errorf("a secret has %d bytes, want at least 32", n)
	}
}

// One answer for all: neither its text nor what is looked up tells an app that is
// there from one that is not.
func TestWhoIsNotKnownGetsOneAnswer(t *testing.T) {
	other := tokenOf(start, nil)
	other.secret = "another secret of more than 32 bytes"
	for name, c := range map[string]Credentials{
		"nothing":             credentials("shop", "", ""),
		"a wrong key":         credentials("shop", "guess", ""),
		"another's token":     credentials("shop", "", "Bearer "+other.String()),
		"no bearer":           credentials("shop", "", "Basic "+tokenOf(start, nil).String()),
		"no app":              credentials("nobody", "", ""),
		"no app, a key":       credentials("nobody", appKeyText, ""),
		"no app, a token":     credentials("nobody", "", "Bearer "+tokenOf(start, nil).String()),
		"what can be no app":  credentials("shop\x00", appKeyText, ""),
		"no name":             credentials("", appKeyText, ""),
		"a key and a bad one": credentials("shop", appKeyText+", "+appKeyText, ""),
	} {
		f := newFixture(t, skein.Settings{})
		by, err := f.Caller(t.Context(), c)
		if err != skein.ErrUnauthenticated { //nolint:errorlint // not even wrapped: its text would tell
			t.Errorf("%s: got %+v and error %v, want exactly %v", name, by, err, skein.ErrUnauthenticated)
		}
	}
}

func TestAskingForAnUnknownAppCostsWhatAKnownOneDoes(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	for range 50 {
		for _, app := range []string{"shop", "nobody"} {
			_, err := f.Caller(t.Context(), credentials(app, "guess", ""))
			f.wantErr(app, err, skein.ErrUnauthenticated)
		}
	}
	if got := fmt.Sprint(f.reads); got != "map[nobody:1 shop:1]" {
		t.Errorf("the store was read %s, want once for each", got)
	}
}

func TestAWrongCredentialIsRefusedWhereNoneIsNeeded(t *testing.T) {
	f := newFixture(t, skein.Settings{Open: true})
	by, err := f.call("", "")
	f.must(err)
	if !by.Server() {
		t.Errorf("an open app without credentials: got client %q, want the server role", by.Client)
	}
	right, wrong := "Bearer "+tokenOf(start, nil).String(), "Bearer x"
	for _, c := range [][2]string{{"guess", ""}, {"", wrong}, {appKeyText, wrong}, {"guess", right}} {
		_, err := f.call(c[0], c[1])
		f.wantErr(fmt.Sprintf("key %q and authorization %.9q", c[0], c[1]), err, skein.ErrUnauthenticated)
	}
	by, err = f.call(appKeyText, right)
	f.must(err)
	if !by.Server() {
		t.Errorf("a key beside a token: got client %q, want the server role", by.Client)
	}
}

func TestAnOpenAppIsClosedWhereOpenIsNotAllowed(t *testing.T) {
	f := newFixture(t, skein.Settings{Open: true})
	f.Gate = New(Options{Apps: f.opts.Apps, Clients: f.opts.Clients, Now: f.opts.Now})
	_, err := f.call("", "")
	f.wantErr("a call without credentials", err, skein.ErrUnauthenticated)
	_, err = f.Login(t.Context(), Login{App: "shop", Client: "Tom", Device: "phone"})
	f.wantErr("a login without a token", err, skein.ErrUnauthenticated)
}
