// Package keyset holds the public keys with which the tokens of an app are verified: JSON Web Key
// Sets (RFC 7517) that the app's settings hold, or that are fetched from an address of the app. It
// knows no token.
package keyset

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// Bounds of a set and its keys.
const (
	MaxSource  = 16 << 10 // bytes of a set in the settings
	maxURL     = 2048
	maxKeys    = 100
	maxKeyID   = 256
	minRSABits = 2048
	maxRSABits = 8192 // a larger key makes each verification slow
)

// Set is the usable keys of a JSON Web Key Set. Nobody writes to it.
type Set struct{ keys []key }

// key is a public key, and the only algorithm that it verifies.
type key struct {
	id, alg string
	public  any // *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
}

// find is the key with an id for an algorithm; without an id the only key for the algorithm. nil:
// there is none.
func (s Set) find(alg, id string) (found any) {
	for _, k := range s.keys {
		switch {
		case k.alg != alg:
		case id != "" && k.id == id:
			return k.public
		case id == "" && found != nil:
			return nil
		case id == "":
			found = k.public
		}
	}
	return found
}

// parse reads a set. unusable says why keys were left out: as RFC 7517 has it, they do not keep
// the others from use.
func parse(text []byte) (s Set, unusable []error, err error) {
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return s, nil, fmt.Errorf("read a key set: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return s, nil, fmt.Errorf("%d keys; at most %d", len(set.Keys), maxKeys)
	}
	for i, raw := range set.Keys {
		k, err := parseKey(raw)
		if err == nil && slices.ContainsFunc(s.keys, func(other key) bool { return other.id == k.id && other.alg == k.alg }) {
			err = errors.New("an earlier key has the same kid")
		}
		if err != nil {
			unusable = append(unusable, fmt.Errorf("key %d: %w", i+1, err))
			continue
		}
		s.keys = append(s.keys, k)
	}
	if len(s.keys) == 0 {
		return s, unusable, errors.Join(append([]error{errors.New("no usable key")}, unusable[:min(len(unusable), 1)]...)...)
	}
	return s, unusable, nil
}

// parseKey reads a key.
func parseKey(raw jsontext.Value) (key, error) {
	var uses struct {
		Ops    []string       `json:"key_ops"`
		X      string         `json:"x"`
		D      jsontext.Value `json:"d"` // of private keys
		Secret jsontext.Value `json:"k"`
	}
	if err := json.Unmarshal(raw, &uses); err != nil {
		return key{}, fmt.Errorf("read a key: %w", err)
	}
	if uses.D != nil || uses.Secret != nil {
		return key{}, errNotPublic
	}
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(raw); err != nil {
		return key{}, fmt.Errorf("read a key: %w", err)
	}
	alg, err := algorithmOf(jwk.Key)
	switch {
	case alg == "EdDSA" && len(uses.X) != base64.RawURLEncoding.EncodedLen(ed25519.PublicKeySize): // jose fills it with zeros
		return key{}, errors.New("not a valid Ed25519 key")
	case err != nil:
		return key{}, err
	case jwk.Algorithm != "" && jwk.Algorithm != alg:
		return key{}, fmt.Errorf("alg is not %s", alg)
	case jwk.Use != "" && jwk.Use != "sig", uses.Ops != nil && !slices.Contains(uses.Ops, "verify"):
		return key{}, errors.New("not for signatures")
	case len(jwk.KeyID) > maxKeyID:
		return key{}, fmt.Errorf("kid: more than %d bytes", maxKeyID)
	}
	return key{jwk.KeyID, alg, jwk.Key}, nil
}

// algorithmOf is the algorithm that a public key verifies. Its type alone decides, so no token can
// make a key verify another.
func algorithmOf(public any) (string, error) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return "", fmt.Errorf("RSA of %d bits; must have %d to %d", bits, minRSABits, maxRSABits)
		}
		if k.E < 3 || k.E > 1<<31-1 || k.E%2 == 0 || k.N.Bit(0) == 0 {
			return "", errors.New("not a valid RSA key")
		}
		return "RS256", nil
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return "", errors.New("the curve is not P-256")
		}
		return "ES256", nil
	case ed25519.PublicKey:
		return "EdDSA", nil
	default:
		return "", errNotPublic
	}
}

var errNotPublic = errors.New("not a public key")

// Check refuses a setting that cannot be used: it must be empty, a URL, or a set of which each key
// is usable. Errors: skein.ErrMalformed.
func Check(source string) error {
	if source == "" {
		return nil
	}
	wrong := func(detail string) error { return skein.Malformed("settings.jwks", detail) }
	if !fetchable(source) {
		_, unusable, err := parse([]byte(source))
		if len(source) > MaxSource || err != nil || len(unusable) > 0 {
			return wrong("a key set must have at most 16384 bytes and 100 keys, each with another kid, public, for signatures, and RSA of 2048 to 8192 bits, EC P-256 or Ed25519")
		}
		return nil
	}
	u, err := url.Parse(source)
	if err != nil || len(source) > maxURL || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && (u.Scheme != "http" || !isPrivate(u.Hostname())) {
		return wrong("must be an https URL of at most 2048 bytes, an http URL of a private address such as 10.0.0.7, or a key set")
	}
	return nil
}

// fetchable tells a URL from a set.
func fetchable(source string) bool { return !strings.HasPrefix(source, "{") }

// isPrivate reports whether a host is a private address: over the network of one's own, keys may
// come in the clear.
func isPrivate(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && (a.IsPrivate() || a.IsLoopback())
}
