package e2e

import (
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// The edges that are still good.
func TestGoodTokens(t *testing.T) {
	t.Parallel()
	a := strict(t)
	u := a.user(t, "u")
	now := time.Now()
	for name, edit := range map[string]func(jwt.MapClaims){
		"89 days":                   func(c jwt.MapClaims) { c["exp"] = now.Add(89 * 24 * time.Hour).Unix() },
		"expired within the leeway": func(c jwt.MapClaims) { c["exp"] = now.Add(-30 * time.Second).Unix() },
		"a clock that is 30 s ahead": func(c jwt.MapClaims) {
			c["iat"] = now.Add(30 * time.Second).Unix()
			c["nbf"] = now.Add(30 * time.Second).Unix()
		},
		"fractions of a second": func(c jwt.MapClaims) {
			c["iat"] = float64(now.UnixMilli()) / 1000
			c["exp"] = float64(now.UnixMilli())/1000 + 60.5
		},
		"jti and a claim of one's own": func(c jwt.MapClaims) { c["jti"] = "1"; c["role"] = "admin"; c["server"] = true },
	} {
		h := a.bearer(a.token(t, u, edit))
		a.s.call(t, "GET", userPath(u), h, nil).want(t, name, 0)
		a.s.call(t, "GET", "/im/users", h, nil).want(t, name+": user.list", 4004)
	}
	lower := a.bare().with(headers{"Authorization": "bearer " + a.token(t, u)})
	a.s.call(t, "GET", userPath(u), lower, nil).want(t, "the scheme in lower case (RFC 9110)", 0)
	// A token of a client that was never made: it is not a client of the app yet.
	ghost := unique("ghost")
	a.s.call(t, "GET", userPath(ghost), a.as(t, ghost), nil).want(t, "a token of an unknown client", 211)
}

// A forced logout is final: tokens issued before it stay refused, whatever happens later.
func TestCutIsForGood(t *testing.T) {
	t.Parallel()
	a := strict(t)
	u := a.user(t, "u")
	old := a.token(t, u)
	timeless := a.token(t, u, func(c jwt.MapClaims) { delete(c, "iat") })
	a.must(t, "POST", userPath(u, "logout"), obj{})
	a.s.call(t, "GET", userPath(u), a.bearer(old), nil).want(t, "the old token after logout", 4003)
	a.s.call(t, "GET", userPath(u), a.bearer(timeless), nil).want(t, "a token without iat after logout", 4003)
	a.must(t, "DELETE", userPath(u), nil)
	a.must(t, "POST", "/im/users", obj{"client_id": u})
	a.s.call(t, "GET", userPath(u), a.bearer(old), nil).want(t, "the old token after delete and making again", 4003)
	eventually(t, "a new token is taken", func() bool {
		return a.s.call(t, "GET", userPath(u), a.as(t, u), nil).Code == 0
	})
	a.s.call(t, "GET", userPath(u), a.bearer(old), nil).want(t, "the old token beside a new one", 4003)

	// So does a cut outlive the process.
	s := start(t, withoutDev())
	b := createApp(t, s)
	v := b.user(t, "v")
	before := b.token(t, v)
	b.must(t, "POST", userPath(v, "logout"), obj{})
	s.Kill(t)
	s.Restart(t)
	s.call(t, "GET", userPath(v), b.bearer(before), nil).want(t, "a cut after SIGKILL", 4003)
}
