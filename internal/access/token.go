package access

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/golang-jwt/jwt/v5"

	"github.com/skein-im/skein"
)

// Rules of tokens.
const (
	leeway         = time.Minute
	maxTokenLength = 8 << 10 // bytes
)

// Grant is what a token is to allow.
type Grant struct {
	Client  string
	Device  string        // valid on this device alone; empty: any
	Actions []string      // nil: all
	TTL     time.Duration // at most 90 days
}

// Mint signs a token of the app. Its iat has milliseconds, so that it can be told
// from a cut in the same second; after moves it past the client's cut. Errors:
// skein.ErrMalformed for a TTL out of bounds.
func Mint(app skein.App, g Grant, now time.Time, after skein.Millis) (token string, expires skein.Millis, err error) {
	if g.TTL < time.Second || g.TTL > skein.MaxTokenLife {
		return "", 0, skein.Malformed("ttl", "must be 1 second to 90 days")
	}
	issued := max(skein.MillisOf(now), after+1)
	expires = issued.Add(g.TTL)
	c := claims{
		Subject: g.Client, App: app.ID, Device: g.Device, Actions: g.Actions,
		IssuedAt: seconds(issued), Expires: seconds(expires),
	}
	token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(app.TokenSecret)
	if err != nil {
		return "", 0, fmt.Errorf("sign token: %w", err)
	}
	return token, expires, nil
}

// claims are the claims of a token. Dates are NumericDate (RFC 7519 section
// 2): seconds, possibly with a fraction.
type claims struct {
	Subject   string   `json:"sub"`
	App       string   `json:"app"`
	Expires   float64  `json:"exp"`
	IssuedAt  float64  `json:"iat,omitempty"`
	NotBefore float64  `json:"nbf,omitempty"`
	ID        string   `json:"jti,omitempty"`
	Device    string   `json:"dev,omitempty"`
	Actions   []string `json:"act,omitzero"`

	// Of tokens that a key of the app's set verifies; see bound.
	Issuer   jsontext.Value `json:"iss,omitempty"`
	Audience jsontext.Value `json:"aud,omitempty"`
}

// UnmarshalJSON reads claims strictly: each name once and exactly as written here, none
// of them null, for another reader of the same token must not see others.
func (c *claims) UnmarshalJSON(data []byte) error {
	type plain claims
	if err := json.Unmarshal(data, (*plain)(c)); err != nil {
		return fmt.Errorf("read claims: %w", err)
	}
	if !bytes.Contains(data, []byte("null")) {
		return nil
	}
	var given map[string]jsontext.Value
	if err := json.Unmarshal(data, &given); err != nil {
		return fmt.Errorf("read claims: %w", err)
	}
	for _, name := range [...]string{"sub", "app", "exp", "iat", "nbf", "jti", "dev", "act"} {
		if v, there := given[name]; there && v.Kind() == 'n' {
			return fmt.Errorf("claim %s is null", name)
		}
	}
	return nil
}

// strictHeader reports whether the header of a token names nothing twice.
func strictHeader(token string) bool {
	encoded, _, _ := strings.Cut(token, ".")
	header, err := base64.RawURLEncoding.DecodeString(encoded)
	return err == nil && jsontext.Value(header).IsValid()
}

func seconds(m skein.Millis) float64 { return float64(m) / 1000 }

func millis(seconds float64) skein.Millis { return skein.Millis(math.Floor(seconds * 1000)) }

func date(seconds float64) (*jwt.NumericDate, error) {
	if seconds == 0 {
		return nil, nil //nolint:nilnil // jwt: the claim is absent
	}
	if math.Abs(seconds) > 1<<40 {
		return nil, fmt.Errorf("date %g is out of range", seconds)
	}
	return jwt.NewNumericDate(millis(seconds).Time()), nil
}

// The methods of jwt.Claims.

func (c claims) GetExpirationTime() (*jwt.NumericDate, error) { return date(c.Expires) }
func (c claims) GetIssuedAt() (*jwt.NumericDate, error)       { return date(c.IssuedAt) }
func (c claims) GetNotBefore() (*jwt.NumericDate, error)      { return date(c.NotBefore) }
func (c claims) GetIssuer() (string, error)                   { return "", nil }
func (c claims) GetSubject() (string, error)                  { return c.Subject, nil }
func (c claims) GetAudience() (jwt.ClaimStrings, error)       { return nil, nil }

// keys finds the key of an app's set for an algorithm and key id. Errors: any;
// skein.ErrUnavailable where it cannot tell now.
type keys func(alg, id string) (any, error)

// keysOf are the keys of an app's set; nil: it has none.
func (g *Gate) keysOf(ctx context.Context, app *skein.App) keys {
	source := app.Settings.JWKS
	if source == "" || g.opts.Keys == nil {
		return nil
	}
	return func(alg, id string) (any, error) { return g.opts.Keys.Find(ctx, app.ID, source, alg, id) }
}

// Algorithms of tokens: of those that Skein signs, and of those that a key of the app's set may
// verify too.
var (
	ownAlgorithms = []string{"HS256"}
	allAlgorithms = []string{"HS256", "RS256", "ES256", "EdDSA"}
)

// parseToken checks signature, dates, app and form. The algorithm decides between the secret of the
// app and the keys of its set, so no public key is ever used as a secret. Errors:
// skein.ErrUnauthenticated; skein.ErrUnavailable where the set of the app cannot be read.
func parseToken(app *skein.App, token string, now time.Time, set keys) (claims, error) {
	var c claims
	if len(token) > maxTokenLength || len(app.TokenSecret) == 0 || !strictHeader(token) { // anybody can sign with an empty secret
		return c, skein.ErrUnauthenticated
	}
	external, algorithms := false, ownAlgorithms
	if set != nil {
		algorithms = allAlgorithms
	}
	_, err := jwt.ParseWithClaims(token, &c,
		func(t *jwt.Token) (any, error) {
			if _, there := t.Header["crit"]; there { // RFC 7515 section 4.1.11: nothing of it is understood
				return nil, jwt.ErrTokenUnverifiable
			}
			if external = t.Method.Alg() != "HS256"; !external {
				return app.TokenSecret, nil
			}
			id, isText := t.Header["kid"].(string)
			if _, there := t.Header["kid"]; there && !isText {
				return nil, jwt.ErrTokenUnverifiable
			}
			return set(t.Method.Alg(), id)
		},
		jwt.WithValidMethods(algorithms),
		jwt.WithLeeway(leeway),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return now }),
	)
	if errors.Is(err, skein.ErrUnavailable) {
		return c, skein.ErrUnavailable
	}
	if err != nil {
		return c, skein.ErrUnauthenticated
	}
	tooFar := millis(c.Expires).Time().After(now.Add(skein.MaxTokenLife + leeway))
	if tooFar || !c.bound(app, external) || len(c.Actions) > skein.MaxTokenActions ||
		!skein.ValidClientID(c.Subject, app.Settings.RelaxedClientIDs) {
		return c, skein.ErrUnauthenticated
	}
	return c, nil
}

// bound reports whether a token was made for the app. The providers that sign with keys of their own
// often know no app; then the audience tells, which the app must have set.
func (c claims) bound(app *skein.App, external bool) bool {
	s := app.Settings
	if !external {
		return c.App == app.ID
	}
	switch {
	case s.TokenIssuer != "" && !slices.Equal(texts(c.Issuer), []string{s.TokenIssuer}):
		return false
	case s.TokenAudience != "" && !slices.Contains(texts(c.Audience), s.TokenAudience):
		return false
	default:
		return c.App == app.ID || c.App == "" && s.TokenAudience != ""
	}
}

// texts are the texts of a claim that is one or a list; nil: it is neither.
func texts(claim jsontext.Value) (all []string) {
	var one string
	switch claim.Kind() {
	case '"':
		if json.Unmarshal(claim, &one) == nil {
			all = []string{one}
		}
	case '[':
		if json.Unmarshal(claim, &all) != nil {
			return nil
		}
	}
	return all
}

// bearer is the client whose token an Authorization header holds.
func (g *Gate) bearer(ctx context.Context, app *skein.App, header string) (skein.Actor, error) {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return skein.Actor{}, skein.ErrUnauthenticated
	}
	c, err := parseToken(app, strings.TrimSpace(token), g.opts.Now(), g.keysOf(ctx, app))
	if err != nil {
		return skein.Actor{}, err
	}
	return g.holder(ctx, app, c, c.Device)
}

// sessionEnd is when a session with a token that runs out at exp is over: at once,
// but a token that got in by the leeway keeps what it was given.
func sessionEnd(exp, now skein.Millis) skein.Millis {
	if exp <= now {
		return exp.Add(leeway)
	}
	return exp
}

// holder is the client of a token that was signed by its app: not cut, not banned. The
// token is used on a device; empty: its caller does not say on which.
// With skein.ErrUnknownClient the actor is filled in all the same.
func (g *Gate) holder(ctx context.Context, app *skein.App, c claims, device string) (skein.Actor, error) {
	actor := skein.Actor{
		App: app, Client: c.Subject, Device: c.Device, Actions: c.Actions,
		Expires: sessionEnd(millis(c.Expires), g.now()),
	}
	known, err := g.client(ctx, app.ID, c.Subject)
	if err != nil {
		return actor, err
	}
	actor.Rev = known.Rev
	cut := known.CutOf(device)
	if device == "" {
		cut = known.LastCut() // it may be the token of any device
	}
	if cut != 0 && millis(c.IssuedAt) <= cut {
		return skein.Actor{}, skein.ErrUnauthenticated
	}
	if known.Banned(g.now()) {
		return skein.Actor{}, skein.ErrBanned
	}
	if known.Deleted {
		return actor, skein.About(skein.ErrUnknownClient, c.Subject)
	}
	return actor, nil
}
