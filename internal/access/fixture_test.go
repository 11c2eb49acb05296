package access

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"hash"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// start is where the clock of every test stands at first.
const start skein.Millis = 1_790_000_000_123

// fixture is a gate over tenants kept in memory, and its clock.
type fixture struct {
	*testing.T
	*Gate

	clock atomic.Int64 // Unix milliseconds
	live  atomic.Int64 // nodes

	mu      sync.Mutex
	apps    map[string]skein.App    // guarded by mu
	clients map[string]skein.Client // by app + "/" + id; guarded by mu
	reads   map[string]int          // of apps; guarded by mu
	away    error                   // the store's answer to everything; guarded by mu
}

const appKeyText, appSecret = "shop-key", "shop-secret-of-more-than-32-bytes-xx"

// newFixture has the app "shop" with a key and the client "Tom".
func newFixture(t *testing.T, settings skein.Settings) *fixture {
	f := &fixture{T: t, apps: map[string]skein.App{}, clients: map[string]skein.Client{}, reads: map[string]int{}}
	f.clock.Store(int64(start))
	f.Gate = New(Options{
		Apps: tenants{f: f}, Clients: tenants{f: f}, AllowOpen: true,
		Nodes: func() int { return int(f.live.Load()) },
		Now:   func() time.Time { return time.UnixMilli(f.clock.Load()) },
	})
	f.setApp(skein.App{
		ID: "shop", Keys: []skein.AppKey{{Name: "main", Hash: HashKey(appKeyText)}},
		TokenSecret: []byte(appSecret), Settings: settings,
	})
	f.setClient(skein.Client{App: "shop", ID: "Tom"})
	return f
}

func (f *fixture) setApp(a skein.App) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.apps[a.ID] = a
}

func (f *fixture) setClient(c skein.Client) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clients[c.App+"/"+c.ID] = c
}

func (f *fixture) pass(d time.Duration) { f.clock.Add(d.Milliseconds()) }

// call is a REST call of the app "shop"; empty credentials are left out.
func (f *fixture) call(key, authorization string) (skein.Actor, error) {
	return f.Caller(f.Context(), credentials("shop", key, authorization))
}

func credentials(app, key, authorization string) Credentials {
	c := Credentials{App: app}
	if key != "" {
		c.Key = &key
	}
	if authorization != "" {
		c.Authorization = &authorization
	}
	return c
}

func (f *fixture) wantErr(what string, err, want error) {
	f.Helper()
	if !errors.Is(err, want) {
		f.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatalf("got error %v", err)
	}
}

// tenants is the store as far as a gate reads it.
type tenants struct {
	store.Store

	f *fixture
}

func (a tenants) App(_ context.Context, id string) (skein.App, error) {
	a.f.mu.Lock()
	defer a.f.mu.Unlock()
	a.f.reads[id]++
	app, ok := a.f.apps[id]
	switch {
	case a.f.away != nil:
		return skein.App{}, a.f.away
	case !ok:
		return skein.App{}, skein.ErrUnknownApp
	}
	return app, nil
}

func (a tenants) Apps(context.Context) ([]skein.App, error) {
	a.f.mu.Lock()
	defer a.f.mu.Unlock()
	return slices.Collect(maps.Values(a.f.apps)), a.f.away
}

func (a tenants) Client(_ context.Context, app, id string) (skein.Client, error) {
	a.f.mu.Lock()
	defer a.f.mu.Unlock()
	client, ok := a.f.clients[app+"/"+id]
	switch {
	case a.f.away != nil:
		return skein.Client{}, a.f.away
	case !ok:
		return skein.Client{}, skein.About(skein.ErrUnknownClient, id)
	}
	return client, nil
}

// token is one that the test signs itself, not with the code under test.
type token struct {
	header map[string]any
	claims map[string]any
	secret string
	hash   func() hash.Hash
}

// tokenOf is a token that is right in every way, with claims changed; nil takes a
// claim out.
func tokenOf(now skein.Millis, changed map[string]any) token {
	t := token{
		header: map[string]any{"alg": "HS256", "typ": "JWT"},
		claims: map[string]any{"sub": "Tom", "app": "shop", "iat": int64(now / 1000), "exp": int64(now/1000) + 3600},
		secret: appSecret,
		hash:   sha256.New,
	}
	maps.Copy(t.claims, changed)
	maps.DeleteFunc(t.claims, func(_ string, v any) bool { return v == nil })
	return t
}

func (t token) String() string {
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	signed := part(t.header) + "." + part(t.claims)
	if t.hash == nil {
		return signed + "."
	}
	mac := hmac.New(t.hash, []byte(t.secret))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
