package keyset

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"go.uber.org/goleak"

	"github.com/skein-im/skein"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	rsaKey  = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	ecKey   = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	edKey   = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	ec384   = must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	decimal = base64.RawURLEncoding.EncodeToString
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// jwk is a key as JSON, with members changed; nil takes a member out.
func jwk(key any, id string, changed map[string]any) string {
	var members map[string]any
	if err := json.Unmarshal(must(json.Marshal(jose.JSONWebKey{Key: key, KeyID: id})), &members); err != nil {
		panic(err)
	}
	maps.Copy(members, changed)
	maps.DeleteFunc(members, func(_ string, v any) bool { return v == nil })
	return string(must(json.Marshal(members)))
}

func setOf(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

func TestEachTypeOfKeyVerifiesOneAlgorithm(t *testing.T) {
	good := setOf(jwk(&rsaKey().PublicKey, "r", nil), jwk(&ecKey.PublicKey, "e", map[string]any{"use": "sig", "alg": "ES256", "key_ops": []string{"verify"}}), jwk(edKey.Public(), "d", nil))
	set, unusable, err := parse([]byte(good))
	if err != nil || len(unusable) > 0 {
		t.Fatalf("got error %v, unusable %v", err, unusable)
	}
	for id, alg := range map[string]string{"r": "RS256", "e": "ES256", "d": "EdDSA"} {
		for _, other := range []string{"RS256", "ES256", "EdDSA", "HS256", "none", "PS256", "RS512", ""} {
			if got := set.find(other, id) != nil; got != (other == alg) {
				t.Errorf("key %s for %s: found %v, want %v", id, other, got, other == alg)
			}
		}
		if set.find(alg, "") == nil {
			t.Errorf("%s without a kid: not found, want the only key for it", alg)
		}
	}
	two, _, err := parse([]byte(setOf(jwk(&ecKey.PublicKey, "a", nil), jwk(&must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)).PublicKey, "b", nil))))
	if err != nil || two.find("ES256", "") != nil || two.find("ES256", "c") != nil || two.find("ES256", "a") == nil {
		t.Errorf("of two keys: error %v, or one was found without its kid", err)
	}
}

func TestAKeyThatCannotBeUsedDoesNotKeepTheOthersFromUse(t *testing.T) {
	modulus := func(bits uint) string { return decimal(new(big.Int).SetBit(big.NewInt(1), int(bits)-1, 1).Bytes()) }
	rsaWith := func(changed map[string]any) string { return jwk(&rsaKey().PublicKey, "x", changed) }
	for name, bad := range map[string]string{
		"RSA of 1024 bits":                 rsaWith(map[string]any{"n": modulus(1024)}),
		"RSA of 2047 bits":                 rsaWith(map[string]any{"n": modulus(2047)}),
		"RSA of 8200 bits":                 rsaWith(map[string]any{"n": modulus(8200)}),
		"an even modulus":                  rsaWith(map[string]any{"n": decimal(new(big.Int).Lsh(big.NewInt(1), 2047).Bytes())}),
		"the exponent 1":                   rsaWith(map[string]any{"e": "AQ"}),
		"an even exponent":                 rsaWith(map[string]any{"e": "BA"}),
		"an exponent of 64 bits":           rsaWith(map[string]any{"e": "__________8"}),
		"no modulus":                       rsaWith(map[string]any{"n": nil}),
		"a modulus that is no base64":      rsaWith(map[string]any{"n": "*"}),
		"a private RSA key":                jwk(rsaKey(), "x", nil),
		"a private EC key":                 jwk(ecKey, "x", nil),
		"a private Ed25519 key":            jwk(edKey, "x", nil),
		"a secret":                         `{"kty":"oct","kid":"x","k":"AAAA"}`,
		"P-384":                            jwk(&ec384.PublicKey, "x", nil),
		"a point that is not on the curve": jwk(&ecKey.PublicKey, "x", map[string]any{"y": decimal(make([]byte, 32))}),
		"a short Ed25519 key":              jwk(edKey.Public(), "x", map[string]any{"x": "AAAA"}),
		"X25519":                           jwk(edKey.Public(), "x", map[string]any{"crv": "X25519"}),
		"for encryption":                   rsaWith(map[string]any{"use": "enc"}),
		"not to verify":                    rsaWith(map[string]any{"key_ops": []string{"encrypt"}}),
		"for nothing":                      rsaWith(map[string]any{"key_ops": []string{}}),
		"for another algorithm":            rsaWith(map[string]any{"alg": "RS512"}),
		"an RSA key for HS256":             rsaWith(map[string]any{"alg": "HS256"}),
		"an RSA key for ES256":             rsaWith(map[string]any{"alg": "ES256"}),
		"a long kid":                       jwk(edKey.Public(), strings.Repeat("x", maxKeyID+1), nil),
		"the kid of an earlier key":        jwk(&must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)).PublicKey, "e", nil),
		"a kid that is a number":           rsaWith(map[string]any{"kid": 7}),
		"no type":                          rsaWith(map[string]any{"kty": nil}),
		"an unknown type":                  rsaWith(map[string]any{"kty": "PQ"}),
		"a certificate that is none":       rsaWith(map[string]any{"x5c": []string{"AAAA"}}),
		"a text":                           `"key"`,
		"a list":                           `[]`,
		"null":                             `null`,
		"nothing":                          `{}`,
	} {
		set, unusable, err := parse([]byte(setOf(jwk(&ecKey.PublicKey, "e", nil), bad)))
		if err != nil || len(unusable) != 1 || len(set.keys) != 1 || set.find("ES256", "e") == nil {
			t.Errorf("%s: got %d keys, unusable %v, error %v; want the other key alone", name, len(set.keys), unusable, err)
		} else if !ecKey.PublicKey.Equal(set.find("ES256", "e")) {
			t.Errorf("%s: got another key than the first", name)
		}
		if err := Check(setOf(jwk(&ecKey.PublicKey, "e", nil), bad)); !errors.Is(err, skein.ErrMalformed) {
			t.Errorf("%s, in the settings: got error %v, want %v", name, err, skein.ErrMalformed)
		}
	}
}

func TestASetThatCannotBeReadIsRefusedAsAWhole(t *testing.T) {
	one := jwk(edKey.Public(), "x", nil)
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "<html>", "a list": "[" + one + "]", "one key": one, "no keys": `{}`, "an empty list": setOf(), "keys null": `{"keys":null}`, "keys that are a text": `{"keys":"x"}`,
		"keys twice":       `{"keys":[` + one + `],"keys":[]}`,
		"a member twice":   setOf(strings.Replace(one, `"kid":"x"`, `"kid":"x","kid":"y"`, 1)),
		"in other letters": strings.Replace(setOf(one), `"keys"`, `"Keys"`, 1),
		"more behind it":   setOf(one) + "{}",
		"thousands":        setOf(strings.Split(strings.Repeat(`{},`, 5000), ",")[:5000]...),
		"101 keys":         setOf(manyKeys(101)...),
		"none to be used":  setOf(`{"kty":"oct","k":"AAAA"}`),
		"deep":             `{"keys":` + strings.Repeat("[", 20_000),
	} {
		if set, _, err := parse([]byte(text)); err == nil {
			t.Errorf("%s: got %d keys, want an error", name, len(set.keys))
		}
	}
	if set, _, err := parse([]byte(setOf(manyKeys(100)...))); err != nil || len(set.keys) != 100 {
		t.Errorf("100 keys: got %d, error %v", len(set.keys), err)
	}
}

func manyKeys(n int) (all []string) {
	for i := range n {
		all = append(all, jwk(edKey.Public(), fmt.Sprint(i), nil))
	}
	return all
}

func TestASettingIsAURLOrASet(t *testing.T) {
	for source, ok := range map[string]bool{
		"": true, "https://id.example/keys": true, "https://id.example:8443/keys?a=b": true, "http://10.0.0.7/keys": true, "http://127.0.0.1:8080/": true, "http://[fd00::1]/": true,
		setOf(jwk(edKey.Public(), "x", nil)): true,
		"http://id.example/keys":             false, "http://8.8.8.8/": false, "http://localhost/": false, "ftp://10.0.0.7/": false, "file:///etc/passwd": false, "id.example/keys": false, "https://": false,
		"https://user:password@id.example/": false, "https://id.example/#x": false, "https://id.example/" + strings.Repeat("x", maxURL): false, "https://id.example/\x00": false,
		"{": false, setOf(manyKeys(100)...) + strings.Repeat(" ", MaxSource): false,
	} {
		if err := Check(source); (err == nil) != ok || err != nil && !errors.Is(err, skein.ErrMalformed) {
			t.Errorf("%.60q: got error %v, want it accepted: %v", source, err, ok)
		}
	}
}
