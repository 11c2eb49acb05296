package access

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/keyset"
)

// signers are keys of an app, by key id, with the algorithm of each.
var signers = sync.OnceValue(func() map[string]crypto.Signer {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return map[string]crypto.Signer{"RS256": rsaKey, "ES256": ecKey, "EdDSA": ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}
})

// publicKeys is the set of the signers. The id of each key is its algorithm in small letters.
func publicKeys() string {
	var set jose.JSONWebKeySet
	for alg, key := range signers() {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: strings.ToLower(alg)})
	}
	text, err := json.Marshal(set)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// signedWith is a token that a signer signs, with its header and claims changed; nil takes a member out.
func signedWith(alg string, header, claims map[string]any) string {
	t := jwt.NewWithClaims(jwt.GetSigningMethod(alg), jwt.MapClaims(tokenOf(start, claims).claims))
	t.Header["kid"] = strings.ToLower(alg)
	maps.Copy(t.Header, header)
	maps.DeleteFunc(t.Header, func(_ string, v any) bool { return v == nil })
	text, err := t.SignedString(signers()[alg])
	if err != nil {
		panic(err)
	}
	return text
}

// away is a provider that cannot be reached.
type away struct{}

func (away) RoundTrip(*http.Request) (*http.Response, error) { return nil, http.ErrServerClosed }

// newKeyFixture is a fixture whose app has the set of publicKeys, with settings changed.
func newKeyFixture(t *testing.T, change func(*skein.Settings)) *fixture {
	t.Helper()
	s := skein.Settings{JWKS: publicKeys()}
	if change != nil {
		change(&s)
	}
	f := newFixture(t, s)
	f.opts.Keys = keyset.New(keyset.Options{Client: &http.Client{Transport: away{}}, Now: f.opts.Now, Log: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry()})
	t.Cleanup(f.opts.Keys.Close)
	return f
}

func TestKeysOfAnAppVerifyItsTokens(t *testing.T) {
	f := newKeyFixture(t, nil)
	for alg := range signers() {
		for what, header := range map[string]map[string]any{"with its kid": nil, "without a kid": {"kid": nil}} {
			by, err := f.call("", "Bearer "+signedWith(alg, header, map[string]any{"dev": "phone", "act": []string{"msg.send"}}))
			if err != nil || by.Client != "Tom" || by.Device != "phone" || fmt.Sprint(by.Actions) != "[msg.send]" {
				t.Errorf("%s %s: got %+v, error %v; want Tom on phone", alg, what, by, err)
			}
		}
	}
	if _, err := f.call("", "Bearer "+tokenOf(start, nil).String()); err != nil {
		t.Errorf("a token that is signed with the secret of the app: got error %v", err)
	}
	app := f.apps["shop"]
	app.Settings.JWKS = ""
	f.setApp(app)
	f.pass(appLife)
	_, err := f.call("", "Bearer "+signedWith("EdDSA", nil, nil))
	f.wantErr("a second after the set was removed", err, skein.ErrUnauthenticated)
}

// forge is a token whose header names one algorithm, and whose signature is another's.
func forge(header map[string]any, secret string) string {
	t := tokenOf(start, nil)
	maps.Copy(t.header, header)
	t.secret = secret
	return t.String()
}

func TestNoKeyIsUsedForAnotherAlgorithm(t *testing.T) {
	f := newKeyFixture(t, nil)
	der, err := x509.MarshalPKIXPublicKey(signers()["RS256"].Public())
	f.must(err)
	public := signers()["RS256"].Public().(*rsa.PublicKey)
	otherRSA := jwt.NewWithClaims(jwt.SigningMethodPS256, jwt.MapClaims(tokenOf(start, nil).claims))
	otherRSA.Header["kid"] = "rs256"
	ps, err := otherRSA.SignedString(signers()["RS256"])
	f.must(err)
	good := signedWith("RS256", nil, nil)
	for name, text := range map[string]string{
		"HS256 with the public key in PEM": forge(map[string]any{"kid": "rs256"}, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))),
		"HS256 with the public key in DER": forge(map[string]any{"kid": "rs256"}, string(der)),
		"HS256 with the modulus":           forge(map[string]any{"kid": "rs256"}, string(public.N.Bytes())),
		"HS256 with an empty secret":       forge(map[string]any{"kid": "rs256"}, ""),
		"RS256, signed HS256":              forge(map[string]any{"alg": "RS256", "kid": "rs256"}, string(der)),
		"alg none":                         forge(map[string]any{"alg": "none", "kid": "rs256"}, ""),
		"PS256 by the RSA key":             ps,
		"ES256 that names the RSA key":     signedWith("ES256", map[string]any{"kid": "rs256"}, nil),
		"EdDSA that names the EC key":      signedWith("EdDSA", map[string]any{"kid": "es256"}, nil),
		"an unknown kid":                   signedWith("RS256", map[string]any{"kid": "x"}, nil),
		"a kid in other letters":           signedWith("RS256", map[string]any{"kid": "RS256"}, nil),
		"a kid that is a number":           signedWith("RS256", map[string]any{"kid": 7}, nil),
		"a kid that is null":               signedWith("RS256", map[string]any{"kid": json.RawMessage("null")}, nil),
		"a kid that is a path":             signedWith("RS256", map[string]any{"kid": "../../rs256"}, nil),
		"a crit":                           signedWith("RS256", map[string]any{"crit": []string{"exp"}}, nil),
		"claims of another token":          good[:strings.Index(good, ".")+1] + strings.Split(signedWith("RS256", nil, map[string]any{"sub": "Jerry"}), ".")[1] + good[strings.LastIndex(good, "."):],
		"no signature":                     good[:strings.LastIndex(good, ".")+1],
		"expired":                          signedWith("RS256", nil, map[string]any{"exp": start/1000 - 61}),
		"for ever":                         signedWith("RS256", nil, map[string]any{"exp": start/1000 + 91*86400}),
		"without an end":                   signedWith("RS256", nil, map[string]any{"exp": nil}),
		"no client id":                     signedWith("RS256", nil, map[string]any{"sub": "a|b"}),
	} {
		by, err := f.call("", "Bearer "+text)
		if err != skein.ErrUnauthenticated { //nolint:errorlint // one answer for all
			t.Errorf("%s: got client %q and error %v, want %v", name, by.Client, err, skein.ErrUnauthenticated)
		}
	}
	// Whoever signs may put a key or an address into the header; nobody reads it.
	if _, err := f.call("", "Bearer "+signedWith("ES256", map[string]any{"kid": "x", "jku": "https://evil.example", "jwk": map[string]string{"kty": "oct"}}, nil)); err != skein.ErrUnauthenticated { //nolint:errorlint // as above
		t.Errorf("a key in the header: got error %v, want %v", err, skein.ErrUnauthenticated)
	}
}

func TestATokenIsBoundToItsApp(t *testing.T) {
	for name, tt := range map[string]struct {
		issuer, audience string // settings
		claims           map[string]any
		ok               bool
	}{
		"the app":                        {"", "", nil, true},
		"another app":                    {"", "", map[string]any{"app": "other"}, false},
		"no app, and nothing else tells": {"", "", map[string]any{"app": nil}, false},
		"no app, an audience that nobody asked for": {"", "", map[string]any{"app": nil, "aud": "skein"}, false},
		"the audience in place of the app":          {"", "skein", map[string]any{"app": nil, "aud": "skein"}, true},
		"one of several audiences":                  {"", "skein", map[string]any{"app": nil, "aud": []string{"x", "skein"}}, true},
		"another audience":                          {"", "skein", map[string]any{"app": nil, "aud": "skein2"}, false},
		"another audience, the app":                 {"", "skein", map[string]any{"aud": "x"}, false},
		"no audience, the app":                      {"", "skein", nil, false},
		"the audience, another app":                 {"", "skein", map[string]any{"app": "other", "aud": "skein"}, false},
		"an audience that is a number":              {"", "7", map[string]any{"aud": 7}, false},
		"an audience that is null":                  {"", "skein", map[string]any{"aud": json.RawMessage("null")}, false},
		"a list of numbers":                         {"", "7", map[string]any{"aud": []int{7}}, false},
		"the issuer":                                {"https://id", "", map[string]any{"iss": "https://id"}, true},
		"the issuer with a slash":                   {"https://id", "", map[string]any{"iss": "https://id/"}, false},
		"no issuer":                                 {"https://id", "", nil, false},
		"a list of issuers":                         {"https://id", "", map[string]any{"iss": []string{"https://id", "x"}}, false},
		"the issuer alone, without an app":          {"https://id", "", map[string]any{"app": nil, "iss": "https://id"}, false},
		"both":                                      {"https://id", "skein", map[string]any{"app": nil, "iss": "https://id", "aud": "skein"}, true},
	} {
		f := newKeyFixture(t, func(s *skein.Settings) { s.TokenIssuer, s.TokenAudience = tt.issuer, tt.audience })
		_, err := f.call("", "Bearer "+signedWith("EdDSA", nil, tt.claims))
		if (err == nil) != tt.ok || err != nil && err != skein.ErrUnauthenticated { //nolint:errorlint // one answer for all
			t.Errorf("%s: got error %v, want it accepted: %v", name, err, tt.ok)
		}
		if _, err := f.call("", "Bearer "+tokenOf(start, nil).String()); err != nil {
			t.Errorf("%s: a token that the app's secret signs: got error %v", name, err)
		}
	}
}

func TestKeysThatCannotBeFetchedAreNoBadToken(t *testing.T) {
	f := newKeyFixture(t, func(s *skein.Settings) { s.JWKS = "https://id.example/keys" })
	text := signedWith("EdDSA", nil, nil)
	_, err := f.call("", "Bearer "+text)
	f.wantErr("a call", err, skein.ErrUnavailable)
	_, err = f.Login(t.Context(), Login{App: "shop", Client: "Tom", Token: text, Addr: "1.2.3.4"})
	f.wantErr("a login", err, skein.ErrUnavailable)
	if err := f.Revoked(t.Context(), credentials("shop", "", "Bearer "+text)); err != nil {
		t.Errorf("a call that is under way: got error %v", err)
	}
}

func TestAGoodTokenOfAnAppsKeyGetsInAfterBadOnes(t *testing.T) {
	f := newKeyFixture(t, func(s *skein.Settings) { s.LoginRate = 1 })
	login := func(text string) error {
		_, err := f.Login(t.Context(), Login{App: "shop", Client: "Tom", Token: text, Addr: "1.2.3.4"})
		return err
	}
	f.must(login(signedWith("EdDSA", nil, nil)))
	for range 5 {
		_ = login("x")
	}
	f.wantErr("one more bad one", login("x"), skein.ErrRateLimited)
	f.wantErr("a good one", login(signedWith("ES256", nil, nil)), nil)
}

// BenchmarkTokens shows what each algorithm costs; HS256 is the baseline.
func BenchmarkTokens(b *testing.B) {
	sets := keyset.New(keyset.Options{Client: &http.Client{Transport: away{}}, Now: time.Now, Log: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry()})
	defer sets.Close()
	app := &skein.App{ID: "shop", TokenSecret: []byte(appSecret), Settings: skein.Settings{JWKS: publicKeys()}}
	g := New(Options{Keys: sets})
	texts := map[string]string{"HS256": tokenOf(start, nil).String()}
	for alg := range signers() {
		texts[alg] = signedWith(alg, nil, nil)
	}
	for _, alg := range allAlgorithms {
		b.Run(alg, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := parseToken(app, texts[alg], start.Time(), g.keysOf(b.Context(), app)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
