package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

func TestTokensOfAnAppsOwnProvider(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "a", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) }))
	t.Cleanup(provider.Close)
	s := start(t, withArgs("--outbound-allow", "127.0.0.0/8"))
	a := newApp(t, s, unique("shop"), "--jwks", provider.URL, "--token-issuer", "https://id.example", "--token-audience", "skein")
	eventually(t, "the server follows `skein app create`", func() bool {
		return s.once(t, "GET", "/im/users", a.server(), nil).Code == 0
	})
	tom := a.user(t, "tom")
	token := func(kid string, changed jwt.MapClaims) string {
		claims := jwt.MapClaims{"sub": tom, "iss": "https://id.example", "aud": "skein", "exp": time.Now().Add(time.Hour).Unix()}
		maps.Copy(claims, changed)
		made := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
		made.Header["kid"] = kid
		text, err := made.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	good := token("a", nil)
	call := func(token string) int { return s.once(t, "GET", userPath(tom), a.bearer(token), nil).Code }
	eventually(t, "the server has the provider's keys", func() bool { return call(good) == 0 })
	for name, tt := range map[string]struct {
		token string
		code  int
	}{
		"a good one":            {good, 0},
		"the app's own":         {a.token(t, tom), 0},
		"an unknown key":        {token("b", nil), 4003},
		"another audience":      {token("a", jwt.MapClaims{"aud": "other"}), 4003},
		"another issuer":        {token("a", jwt.MapClaims{"iss": "https://evil.example"}), 4003},
		"another app":           {token("a", jwt.MapClaims{"app": "other"}), 4003},
		"the public set, HS256": {sign(t, jwt.SigningMethodHS256, set, jwt.MapClaims{"sub": tom, "app": a.ID, "exp": time.Now().Add(time.Hour).Unix()}), 4003},
	} {
		if code := call(tt.token); code != tt.code {
			t.Errorf("%s: got %d, want %d", name, code, tt.code)
		}
	}
	a.loginWith(t, good, tom, "phone")

	provider.Close()
	if code := call(good); code != 0 {
		t.Errorf("a known key while the provider is away: got %d, want 0", code)
	}
	change := func(jwks string, want int) {
		t.Helper()
		if _, errs, exit := skein(t, "app", "update", "--id", a.ID, "--data", s.Data, "--jwks", jwks); exit != 0 {
			t.Fatalf("skein app update --jwks %s: exit %d %s", jwks, exit, errs)
		}
		eventually(t, "the server follows `skein app update`", func() bool { return call(good) == want })
	}
	change("http://10.255.255.1/keys", 5030) // it is private, and nobody allowed it
	s.says(t, "target refused")
	change(string(set), 0)
	change("", 4003)
}
