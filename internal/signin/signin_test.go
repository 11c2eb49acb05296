package signin

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
)

// fixture is sign-in at a provider that says what it is, and redeems no code.
type fixture struct {
	*testing.T
	*SignIn

	now   time.Time
	calls atomic.Int32 // of the provider
	away  atomic.Bool
}

func newFixture(t *testing.T, adminURL string) *fixture {
	t.Helper()
	f := &fixture{T: t, now: time.UnixMilli(1_790_000_000_000)}
	var provider *httptest.Server
	provider = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.calls.Add(1)
		if f.away.Load() || r.URL.Path != "/.well-known/openid-configuration" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": provider.URL, "authorization_endpoint": provider.URL + "/authorize", "token_endpoint": provider.URL + "/token", "jwks_uri": provider.URL + "/keys",
			"scopes_supported": []string{"openid", "groups"},
		})
	}))
	t.Cleanup(provider.Close)
	s, err := New(Options{
		Issuer: provider.URL, ClientID: "skein", AdminURL: adminURL, GroupsClaim: "groups", Client: provider.Client(), Now: func() time.Time { return f.now },
		Log: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	f.SignIn = s
	return f
}

// call is the answer to a call; one that reaches the Admin API is answered 200 with its token.
func (f *fixture) call(method, path string, headers ...string) *http.Response {
	f.Helper()
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Header.Get("Authorization")) })
	r := httptest.NewRequestWithContext(f.Context(), method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	f.Handler(next).ServeHTTP(w, r)
	return w.Result()
}

func TestOverHTTPSNoNeighbouringHostCanPlantACookie(t *testing.T) {
	f := newFixture(t, "https://admin.example")
	res := f.call("GET", Path)
	cookie := res.Cookies()[0]
	if cookie.Name != "__Host-skein_sign_in" || !cookie.Secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" {
		t.Errorf("the cookie of a sign-in: got %v", cookie)
	}
	to, err := url.Parse(res.Header.Get("Location"))
	if err != nil || res.StatusCode != http.StatusSeeOther {
		t.Fatalf("got HTTP %d to %q, error %v", res.StatusCode, res.Header.Get("Location"), err)
	}
	q, flow := to.Query(), strings.Split(cookie.Value, ".")
	if q.Get("state") != flow[0] || q.Get("nonce") != flow[1] || q.Get("code_challenge_method") != "S256" || strings.Contains(to.String(), flow[2]) ||
		q.Get("redirect_uri") != "https://admin.example/admin/sign-in/callback" || q.Get("scope") != "openid profile email groups" {
		t.Errorf("redirect: got %v for the cookie %v", to, cookie)
	}
	for name, tt := range map[string]struct {
		headers []string
		want    string
	}{
		"the session's cookie":                  {[]string{"Cookie", "__Host-skein_session=sko_1"}, "Bearer sko_1"},
		"a cookie that a neighbour could plant": {[]string{"Cookie", "skein_session=sko_1"}, ""},
		"a token beside the cookie":             {[]string{"Cookie", "__Host-skein_session=sko_1", "Authorization", "Bearer sko_2"}, "Bearer sko_2"},
	} {
		text, _ := io.ReadAll(f.call("GET", landingPath, tt.headers...).Body)
		if string(text) != tt.want {
			t.Errorf("%s: the Admin API got the token %q, want %q", name, text, tt.want)
		}
	}
}

func TestACallbackNeedsTheStateOfItsBrowser(t *testing.T) {
	f := newFixture(t, "http://admin.example")
	f.call("GET", Path)
	calls := f.calls.Load()
	for name, tt := range map[string]struct{ query, cookie string }{
		"no cookie":         {"state=s&code=c", ""},
		"another state":     {"state=x&code=c", "s.n.v"},
		"no state":          {"code=c", "s.n.v"},
		"an empty state":    {"state=&code=c", "s.n.v"},
		"a cookie cut":      {"state=s&code=c", "s.n"},
		"an empty cookie":   {"state=&code=c", ""},
		"the provider's no": {"state=s&error=access_denied", "s.n.v"},
	} {
		res := f.call("GET", CallbackPath+"?"+tt.query, "Cookie", flowCookie+"="+tt.cookie)
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: got HTTP %d, want 401", name, res.StatusCode)
		}
	}
	if f.calls.Load() != calls {
		t.Errorf("the provider was called %d times, want none", f.calls.Load()-calls)
	}
	if res := f.call("GET", CallbackPath+"?state=s&code=c", "Cookie", flowCookie+"=s.n.v"); f.calls.Load() == calls || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("the right state and a wrong code: got HTTP %d after %d calls to the provider, want 401 after some", res.StatusCode, f.calls.Load()-calls)
	}
}

func TestAProviderThatIsAwayIsAskedSeldom(t *testing.T) {
	f := newFixture(t, "http://admin.example")
	f.away.Store(true)
	for range 3 {
		if res := f.call("GET", Path); res.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("while it is away: got HTTP %d, want 503", res.StatusCode)
		}
	}
	if got := f.calls.Load(); got != 1 {
		t.Errorf("got %d calls to the provider, want 1", got)
	}
	f.away.Store(false)
	f.now = f.now.Add(retryAfter)
	if res := f.call("GET", Path); res.StatusCode != http.StatusSeeOther {
		t.Errorf("when it is back: got HTTP %d, want 303", res.StatusCode)
	}
}

func TestAnAddressMaySignInSoOften(t *testing.T) {
	f := newFixture(t, "http://admin.example")
	for i := range callsAtOnce {
		if res := f.call("GET", CallbackPath); res.StatusCode != http.StatusUnauthorized {
			t.Fatalf("call %d: got HTTP %d, want 401", i, res.StatusCode)
		}
	}
	if res := f.call("GET", Path); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("one more: got HTTP %d, want 429", res.StatusCode)
	}
	if res := f.call("GET", landingPath, "Cookie", sessionCookie+"=sko_1"); res.StatusCode != http.StatusOK {
		t.Errorf("a call with a session: got HTTP %d, want 200", res.StatusCode)
	}
	f.now = f.now.Add(time.Second)
	if res := f.call("GET", CallbackPath); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a second later: got HTTP %d, want 401", res.StatusCode)
	}
}

func TestGroupsGiveTheGreatestRole(t *testing.T) {
	s := &SignIn{opts: Options{Roles: map[string][]skein.OperatorIn{
		"read": {{Role: skein.OperatorReadOnly}}, "own": {{Role: skein.OperatorOwner}}, "shop": {{App: "shop", Role: skein.OperatorAdmin}, {App: "mall", Role: skein.OperatorSupport}},
	}}}
	for claim, want := range map[string]string{
		`["read","own","read"]`: "[{ owner}]",
		`["own","read"]`:        "[{ owner}]",
		`["shop","x","read"]`:   "[{shop admin} {mall support} { read-only}]",
		`"read"`:                "[{ read-only}]",
		`["Read","own "]`:       "[]",
		`""`:                    "[]", `null`: "[]", ``: "[]", `{"own":true}`: "[]", `[["own"]]`: "[]", `7`: "[]",
	} {
		if got := fmt.Sprint(s.rolesOf(groupsOf(json.RawMessage(claim)))); got != want {
			t.Errorf("groups %s: got %s, want %s", claim, got, want)
		}
	}
}

func TestNamesArePeoplesOwn(t *testing.T) {
	named := map[string]string{}
	for _, i := range []identity{
		{issuer: "a", subject: "1", shown: "ann@example.com"}, {issuer: "a", subject: "2", shown: "ann@example.com"}, {issuer: "b", subject: "1", shown: "ann@example.com"},
		{issuer: "a", subject: "3", shown: ""}, {issuer: "a", subject: "4", shown: "王安 <x/y>"}, {issuer: "a", subject: "5", shown: strings.Repeat("long", 50)},
	} {
		name := i.name()
		if !skein.ValidOperatorName(name) || !strings.HasPrefix(name, "oidc.") {
			t.Errorf("%+v: got the name %q, which is not valid", i, name)
		}
		if other, there := named[name]; there {
			t.Errorf("%+v: got the name %q of %s", i, name, other)
		}
		named[name] = fmt.Sprint(i)
	}
	if claims := (map[string]json.RawMessage{"email": json.RawMessage(`7`), "preferred_username": json.RawMessage(`"ann"`)}); shownName(claims) != "ann" {
		t.Errorf("got %q, want ann", shownName(claims))
	}
}
