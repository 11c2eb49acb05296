package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// oidcProvider is an OpenID Connect provider at which everybody is signed in already. It checks
// what a provider must check: client, redirect, PKCE, and that a code is good for once.
type oidcProvider struct {
	*httptest.Server

	t        *testing.T
	key      *rsa.PrivateKey
	redirect string // the only one that is registered

	mu     sync.Mutex
	codes  map[string]url.Values               // requests by code; guarded by mu
	claims jwt.MapClaims                       // beside the usual ones; guarded by mu
	sign   func(jwt.MapClaims) (string, error) // guarded by mu; nil: as it should
}

const oidcClient, oidcSecret = "skein", "a secret"

func newOIDCProvider(t *testing.T, redirect string) *oidcProvider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &oidcProvider{t: t, key: key, redirect: redirect, codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.answer(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		n, e := base64.RawURLEncoding.EncodeToString(key.N.Bytes()), base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes())
		p.answer(w, map[string]any{"keys": []any{map[string]string{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": n, "e": e}}})
	})
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *oidcProvider) answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

func (p *oidcProvider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("client_id") != oidcClient || q.Get("redirect_uri") != p.redirect || q.Get("response_type") != "code" || !strings.Contains(q.Get("scope"), "openid") ||
		q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" || len(q.Get("state")) < 20 || len(q.Get("nonce")) < 20 {
		p.t.Errorf("the provider refuses the request %v", q)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	code := rand.Text()
	p.mu.Lock()
	p.codes[code] = q
	p.mu.Unlock()
	http.Redirect(w, r, p.redirect+"?"+url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
}

func (p *oidcProvider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked, ok := p.codes[r.FormValue("code")]
	delete(p.codes, r.FormValue("code"))
	challenge := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	user, password, _ := r.BasicAuth()
	if secret, err := url.QueryUnescape(password); err == nil {
		password = secret
	}
	if !ok || user != oidcClient || password != oidcSecret || r.FormValue("grant_type") != "authorization_code" || r.FormValue("redirect_uri") != p.redirect ||
		base64.RawURLEncoding.EncodeToString(challenge[:]) != asked.Get("code_challenge") {
		w.WriteHeader(http.StatusBadRequest)
		p.answer(w, map[string]string{"error": "invalid_grant"})
		return
	}
	claims := jwt.MapClaims{
		"iss": p.URL, "aud": oidcClient, "sub": "u-1", "nonce": asked.Get("nonce"), "email": "ann@example.com",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
	}
	maps.Copy(claims, p.claims)
	sign := p.sign
	if sign == nil {
		sign = p.signBy(p.key)
	}
	raw, err := sign(claims)
	if err != nil {
		p.t.Error(err)
	}
	p.answer(w, map[string]any{"access_token": "x", "token_type": "Bearer", "expires_in": 60, "id_token": raw})
}

func (p *oidcProvider) signBy(key *rsa.PrivateKey) func(jwt.MapClaims) (string, error) {
	return func(claims jwt.MapClaims) (string, error) {
		t := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
		t.Header["kid"] = "1"
		return t.SignedString(key)
	}
}

// next sets what the provider says of who signs in next.
func (p *oidcProvider) next(claims jwt.MapClaims, sign func(jwt.MapClaims) (string, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.claims, p.sign = claims, sign
}

// browser keeps cookies and follows redirects.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: 2 * patience}
}

// visit is the code of an answer of the Admin API, and the answer.
func visit(t *testing.T, c *http.Client, method, link string, h headers) (int, *http.Response, string) {
	t.Helper()
	var body io.Reader
	if method != http.MethodGet {
		body = strings.NewReader("{}")
	}
	req, err := http.NewRequestWithContext(t.Context(), method, link, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = h.http()
	req.Header.Set("Content-Type", "application/json")
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	var a adminAnswer
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatalf("%s %s: got HTTP %d %q", method, link, res.StatusCode, text)
	}
	return a.Code, res, string(text)
}

func TestOperatorsSignInAtTheirProvider(t *testing.T) {
	t.Parallel()
	admin := freeAddr()
	base := "http://" + admin
	p := newOIDCProvider(t, base+"/admin/sign-in/callback")
	s := start(t, withoutDev(), withArgs("--admin-url", base, "--oidc-issuer", p.URL, "--oidc-client-id", oidcClient, "--oidc-client-secret", oidcSecret,
		"--oidc-roles", "cn=ops,ou=it=owner;helpdesk=support@shop"), func(s *server) { s.Addr, s.Admin = freeAddr(), admin })
	otherKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		claims jwt.MapClaims
		sign   func(jwt.MapClaims) (string, error)
		code   int
	}{
		"a group without a role":           {claims: jwt.MapClaims{"groups": []string{"sales"}}, code: 4004},
		"no group":                         {code: 4004},
		"a token for another client":       {claims: jwt.MapClaims{"aud": "other", "groups": "helpdesk"}, code: 4003},
		"a token of another issuer":        {claims: jwt.MapClaims{"iss": "https://evil.example", "groups": "helpdesk"}, code: 4003},
		"a token that is over":             {claims: jwt.MapClaims{"exp": time.Now().Add(-time.Hour).Unix(), "groups": "helpdesk"}, code: 4003},
		"a token issued to another client": {claims: jwt.MapClaims{"aud": []string{oidcClient, "other"}, "azp": "other", "groups": "helpdesk"}, code: 4003},
		"another nonce":                    {claims: jwt.MapClaims{"nonce": "x", "groups": "helpdesk"}, code: 4003},
		"a token signed by a stranger":     {claims: jwt.MapClaims{"groups": "helpdesk"}, sign: p.signBy(otherKey), code: 4003},
		"a token that is not signed": {claims: jwt.MapClaims{"groups": "helpdesk"}, sign: func(c jwt.MapClaims) (string, error) {
			return jwt.NewWithClaims(jwt.SigningMethodNone, c).SignedString(jwt.UnsafeAllowNoneSignatureType)
		}, code: 4003},
	} {
		p.next(tt.claims, tt.sign)
		if code, _, text := visit(t, browser(t), "GET", base+"/admin/sign-in", nil); code != tt.code {
			t.Errorf("%s: got %s, want %d", name, text, tt.code)
		}
	}

	p.next(jwt.MapClaims{"groups": []string{"sales", "cn=ops,ou=it"}}, nil)
	ann := browser(t)
	var callback string
	ann.CheckRedirect = func(req *http.Request, _ []*http.Request) error {
		if strings.Contains(req.URL.Path, "callback") {
			callback = req.URL.String()
		}
		return nil
	}
	code, res, text := visit(t, ann, "GET", base+"/admin/sign-in", nil)
	if code != 0 || res.Request.URL.String() != base+"/admin/me" || !strings.Contains(text, `"operator_name":"oidc.ann@example.com.`) || !strings.Contains(text, `{"app_id":null,"role":"owner"}`) {
		t.Fatalf("sign-in: got %s at %s, want the owner at /admin/me", text, res.Request.URL)
	}
	if cookie := res.Request.Response.Header.Get("Set-Cookie") + strings.Join(res.Request.Response.Header.Values("Set-Cookie"), "; "); !strings.Contains(cookie, "skein_session=sko_") || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") {
		t.Errorf("cookie: got %q, want skein_session, HttpOnly and SameSite=Lax", cookie)
	}
	for name, tt := range map[string]struct {
		by           *http.Client
		method, path string
		h            headers
		code         int
	}{
		"the session":                     {ann, "GET", "/admin/operators", nil, 0},
		"another browser":                 {browser(t), "GET", "/admin/me", nil, 4003},
		"a page of another site":          {ann, "POST", "/admin/sign-out", headers{"Origin": "https://evil.example"}, 4004},
		"a cross-site form":               {ann, "POST", "/admin/sign-out", headers{"Sec-Fetch-Site": "cross-site"}, 4004},
		"a wrong token beside the cookie": {ann, "GET", "/admin/me", headers{"Authorization": "Bearer x"}, 4003},
		"a callback without a sign-in":    {browser(t), "GET", "/admin/sign-in/callback?code=x&state=y", nil, 4003},
		"another method":                  {ann, "POST", "/admin/sign-in", headers{"Origin": base}, 4050},
	} {
		if code, _, text := visit(t, tt.by, tt.method, base+tt.path, tt.h); code != tt.code {
			t.Errorf("%s: got %s, want %d", name, text, tt.code)
		}
	}
	if code, _, text := visit(t, ann, "GET", callback, nil); code != 4003 {
		t.Errorf("the callback again: got %s, want 4003", text)
	}
	who := operatorName(t, ann, base)
	local := owner(t, s, "local")
	if got := local.call(t, "POST", "/admin/operators/"+who+"/tokens", `{"token_name":"long"}`); got.Code != 4004 {
		t.Errorf("a token for an operator of the provider: got %s, want 4004", got)
	}
	if got := local.call(t, "POST", "/admin/operators", `{"operator_name":"oidc.bob","roles":[{"app_id":null,"role":"owner"}]}`); got.Code != 4406 {
		t.Errorf("a local operator with a name of the provider's: got %s, want 4406", got)
	}
	if code, _, text := visit(t, ann, "POST", base+"/admin/sign-out", headers{"Origin": base}); code != 0 {
		t.Errorf("sign-out: got %s", text)
	}
	if code, _, text := visit(t, ann, "GET", base+"/admin/me", nil); code != 4003 {
		t.Errorf("after the sign-out: got %s, want 4003", text)
	}

	again := browser(t)
	signIn := func(want int, groups ...string) {
		t.Helper()
		p.next(jwt.MapClaims{"groups": groups}, nil)
		if code, _, text := visit(t, again, "GET", base+"/admin/sign-in", nil); code != want {
			t.Fatalf("a sign-in with the groups %q: got %s, want %d", groups, text, want)
		}
	}
	signIn(0, "helpdesk")
	if code, _, text := visit(t, again, "GET", base+"/admin/operators", nil); code != 4004 {
		t.Errorf("with a smaller role than before: got %s, want 4004", text)
	}
	signIn(4004, "sales")
	if code, _, text := visit(t, again, "GET", base+"/admin/me", nil); code != 4003 {
		t.Errorf("the session of somebody whose groups give no role any more: got %s, want 4003", text)
	}
	signIn(0, "helpdesk")
	local.must(t, "DELETE", "/admin/operators/"+who, "")
	if code, _, text := visit(t, again, "GET", base+"/admin/me", nil); code != 4003 {
		t.Errorf("the session of a deleted operator: got %s, want 4003", text)
	}
	log := string(local.must(t, "GET", "/admin/audit?operator_name="+who, "").Data)
	if !strings.Contains(log, `"op":"me.sign_in"`) || !strings.Contains(log, `"op":"me.sign_out"`) || strings.Contains(log, "sko_") {
		t.Errorf("audit log: got %s, want the sign-in and the sign-out, and no token", log)
	}
}

func operatorName(t *testing.T, c *http.Client, base string) (name string) {
	t.Helper()
	_, _, text := visit(t, c, "GET", base+"/admin/me", nil)
	_, rest, _ := strings.Cut(text, `"operator_name":"`)
	name, _, _ = strings.Cut(rest, `"`)
	return name
}
