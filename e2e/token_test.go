package e2e

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Tokens that are signed well and say odd things: refused with 4003, by REST and
// at login, and never an internal error.
func TestOddTokens(t *testing.T) {
	t.Parallel()
	a := strict(t)
	u := a.user(t, "u")
	for name, edit := range map[string]func(jwt.MapClaims){
		"exp a string":        func(c jwt.MapClaims) { c["exp"] = "tomorrow" },
		"exp null":            func(c jwt.MapClaims) { c["exp"] = nil },
		"exp negative":        func(c jwt.MapClaims) { c["exp"] = -1 },
		"exp 1e300":           func(c jwt.MapClaims) { c["exp"] = 1e300 },
		"exp a list":          func(c jwt.MapClaims) { c["exp"] = []int{1} },
		"iat an hour ahead":   func(c jwt.MapClaims) { c["iat"] = time.Now().Add(time.Hour).Unix() },
		"iat a string":        func(c jwt.MapClaims) { c["iat"] = "now" },
		"nbf a string":        func(c jwt.MapClaims) { c["nbf"] = "now" },
		"sub an object":       func(c jwt.MapClaims) { c["sub"] = obj{} },
		"sub empty":           func(c jwt.MapClaims) { c["sub"] = "" },
		"sub no id":           func(c jwt.MapClaims) { c["sub"] = "a b'--" },
		"sub of 65":           func(c jwt.MapClaims) { c["sub"] = long(65) },
		"app an object":       func(c jwt.MapClaims) { c["app"] = obj{} },
		"app in another case": func(c jwt.MapClaims) { c["app"] = strings.ToUpper(a.ID) },
		"act an object":       func(c jwt.MapClaims) { c["act"] = obj{} },
		"act a number":        func(c jwt.MapClaims) { c["act"] = 1 },
		"act with a number":   func(c jwt.MapClaims) { c["act"] = []any{1} },
		"dev an object":       func(c jwt.MapClaims) { c["dev"] = obj{} },
		"91 days from an iat": func(c jwt.MapClaims) {
			c["iat"] = time.Now().Add(-24 * time.Hour).Unix()
			c["exp"] = time.Now().Add(91 * 24 * time.Hour).Unix()
		},
	} {
		token := a.token(t, u, edit)
		a.s.call(t, "GET", userPath(u), a.bearer(token), nil).want(t, name, 4003)
		c := a.s.socket(t)
		data := a.loginData(u, "d")
		data["token"] = token
		if got, err := c.try("login", data); err != nil || got.Code != 4003 && got.Code != 4290 {
			t.Errorf("%s: login got %v, %v, want 4003", name, got, err)
		}
	}
	seg := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	good := a.token(t, u)
	parts := strings.Split(good, ".")
	for name, token := range map[string]string{
		"dots":               "..",
		"one part":           parts[0],
		"four parts":         good + "." + parts[2],
		"a blank inside":     parts[0] + "." + parts[1] + ". " + parts[2],
		"padded":             good + "==",
		"not base64":         "a!b.c!d.e!f",
		"a header of null":   seg("null") + "." + parts[1] + "." + parts[2],
		"claims of null":     parts[0] + "." + seg("null") + "." + parts[2],
		"a claim twice":      parts[0] + "." + seg(`{"sub":"`+u+`","sub":"x"}`) + "." + parts[2],
		"the secret for alg": seg(`{"alg":"`+a.Secret+`"}`) + "." + parts[1] + "." + parts[2],
		"alg hs256":          seg(`{"alg":"hs256","typ":"JWT"}`) + "." + parts[1] + "." + parts[2],
		"8 KiB":              long(8 << 10),
	} {
		a.s.call(t, "GET", userPath(u), a.bearer(token), nil).want(t, name, 4003)
	}
	a.s.call(t, "GET", userPath(u), a.bearer(good), nil).want(t, "a good token after all that", 0)
}

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

// A cut is for good: tokens of before stay refused, whatever comes after.
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

func TestALimitedTokenGetsNoPushOfWhatItMayNotRead(t *testing.T) {
	t.Parallel()
	a := strict(t)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	limited := func(device string, act ...string) *socket {
		return a.loginWith(t, a.token(t, tom, func(c jwt.MapClaims) { c["act"] = act }), tom, device)
	}
	sends, reads, lists := limited("sends", "msg.send"), limited("reads", "msg.list"), limited("lists", "conv.list")
	conv := a.group(t, jerry, tom)
	a.must(t, "POST", convPath(conv, "message"), obj{"from_client": jerry, "type": -1, "text": "secret"})
	a.read(t, jerry, conv, nil)
	reads.expectText(t, "secret")
	lists.expect(t, "conv.created")
	for _, kind := range []string{"conv.created", "msg.new", "conv.read"} {
		sends.nothing(t, kind)
	}
	lists.nothing(t, "msg.new")
	reads.nothing(t, "conv.created")
}
