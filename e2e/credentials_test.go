package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// credentials are ways to be refused with 4003 on every op.
func (w *world) badCredentials(t *testing.T, other *app) map[string]headers {
	t.Helper()
	a := w.a
	edit := func(e func(jwt.MapClaims)) headers { return a.bearer(a.token(t, w.owner, e)) }
	now := time.Now()
	good := jwt.MapClaims{"sub": w.owner, "app": a.ID, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	parts := strings.Split(a.token(t, w.owner), ".")
	return map[string]headers{
		"no credential":          a.bare(),
		"a wrong key":            a.bare().with(headers{"app-key": "wrong"}),
		"the key of another app": a.bare().with(headers{"app-key": other.Key}),
		"a right key and more":   a.bare().with(headers{"app-key": a.Key + "x"}),
		"garbage for a token":    a.bearer("garbage"),
		"an empty token":         a.bare().with(headers{"Authorization": "Bearer "}),
		"another scheme":         a.bare().with(headers{"Authorization": "Basic " + a.Key}),
		"an expired token": edit(func(c jwt.MapClaims) {
			c["iat"] = now.Add(-2 * time.Hour).Unix()
			c["exp"] = now.Add(-2 * time.Minute).Unix()
		}),
		"a token without exp":      edit(func(c jwt.MapClaims) { delete(c, "exp") }),
		"a token of 91 days":       edit(func(c jwt.MapClaims) { c["exp"] = now.Add(91 * 24 * time.Hour).Unix() }),
		"a token not valid yet":    edit(func(c jwt.MapClaims) { c["nbf"] = now.Add(5 * time.Minute).Unix() }),
		"a token without sub":      edit(func(c jwt.MapClaims) { delete(c, "sub") }),
		"a token without app":      edit(func(c jwt.MapClaims) { delete(c, "app") }),
		"a token for another app":  edit(func(c jwt.MapClaims) { c["app"] = other.ID }),
		"a token of another app":   a.bearer(other.token(t, w.owner)),
		"another app's secret":     a.bearer(sign(t, jwt.SigningMethodHS256, []byte(other.Secret), good)),
		"an empty secret":          a.bearer(sign(t, jwt.SigningMethodHS256, []byte{}, good)),
		"alg none":                 a.bearer(sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good)),
		"alg none, signature kept": a.bearer("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + parts[1] + "." + parts[2]),
		"alg HS384":                a.bearer(sign(t, jwt.SigningMethodHS384, []byte(a.Secret), good)),
		"alg HS512":                a.bearer(sign(t, jwt.SigningMethodHS512, []byte(a.Secret), good)),
		"no signature":             a.bearer(parts[0] + "." + parts[1] + "."),
		"a changed payload":        a.bearer(parts[0] + "." + strings.Split(a.token(t, w.admin), ".")[1] + "." + parts[2]),
		"a good key, a bad token":  a.server().with(headers{"Authorization": "Bearer garbage"}),
		"a good token, a bad key":  a.as(t, w.owner).with(headers{"app-key": "wrong"}),
		"an app that is not":       {"IM-APP-ID": "nosuchapp", "app-key": a.Key},
	}
}

// Every credential fault gives one and the same answer, on every op.
func TestNoCredentialNoEntry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := createApp(t, w.a.s)
	same := ""
	table := permissionTable()
	for name, h := range w.badCredentials(t, other) {
		for i, row := range table {
			if i%4 != 0 && name != "no credential" && name != "a wrong key" && name != "alg none" {
				continue // each of them on some ops, these three on all
			}
			got := row.ask(t, w, h, w.owner)
			w.judge(t, row, name, got, []int{4003})
			if got.Code == 4003 {
				if same == "" {
					same = got.Message
				}
				if got.Message != same {
					t.Errorf("%s with %s: got message %q, want one answer for all: %q", row.name, name, got.Message, same)
				}
			}
		}
	}
	got := w.a.s.call(t, "GET", "/im/users", headers{"app-key": w.a.Key}, nil)
	got.want(t, "no app header", 4002)
	got = w.a.s.call(t, "GET", "/im/users", w.a.server().with(headers{"app-id": other.ID}), nil)
	got.want(t, "two app headers that differ", 4406)
	got = w.a.s.call(t, "GET", "/im/users", w.a.server().with(headers{"app-id": w.a.ID}), nil)
	got.want(t, "two app headers that agree", 0)
}
