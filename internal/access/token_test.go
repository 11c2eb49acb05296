package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein"
)

func TestEachClaimIsHeldToItsRule(t *testing.T) {
	sec := int64(start / 1000)
	const day = 24 * 3600
	many := func(n int) []string { return strings.Split(strings.Repeat("a,", n-1)+"a", ",") }
	for name, tt := range map[string]struct {
		claims map[string]any
		ok     bool
	}{
		"all as it should be":               {nil, true},
		"exp a minute ago, within leeway":   {map[string]any{"exp": sec - 59}, true},
		"exp before the leeway":             {map[string]any{"exp": sec - 60}, false},
		"exp absent":                        {map[string]any{"exp": nil}, false},
		"exp zero":                          {map[string]any{"exp": 0}, false},
		"exp below zero":                    {map[string]any{"exp": -sec}, false},
		"exp a text":                        {map[string]any{"exp": fmt.Sprint(sec + 60)}, false},
		"exp 90 days ahead":                 {map[string]any{"exp": sec + 90*day}, true},
		"exp 90 days ahead and the leeway":  {map[string]any{"exp": sec + 90*day + 60}, true},
		"exp further ahead than 90 days":    {map[string]any{"exp": sec + 90*day + 61}, false},
		"exp in milliseconds":               {map[string]any{"exp": sec*1000 + 60_000}, false},
		"exp beyond every number":           {map[string]any{"exp": 1e300}, false},
		"exp with a fraction":               {map[string]any{"exp": float64(sec) + 60.5}, true},
		"iat absent":                        {map[string]any{"iat": nil}, true},
		"iat a minute ahead, within leeway": {map[string]any{"iat": sec + 60}, true},
		"iat further ahead than the leeway": {map[string]any{"iat": sec + 61}, false},
		"iat beyond every number":           {map[string]any{"iat": -1e300}, false},
		"nbf a minute ahead, within leeway": {map[string]any{"nbf": sec + 60}, true},
		"nbf further ahead than the leeway": {map[string]any{"nbf": sec + 61}, false},
		"sub absent":                        {map[string]any{"sub": nil}, false},
		"sub empty":                         {map[string]any{"sub": ""}, false},
		"sub no client id":                  {map[string]any{"sub": "Tom_"}, false},
		"sub an integer":                    {map[string]any{"sub": 1}, false},
		"app absent":                        {map[string]any{"app": nil}, false},
		"app another":                       {map[string]any{"app": "other"}, false},
		"app in other letters":              {map[string]any{"app": "SHOP"}, false},
		"jti":                               {map[string]any{"jti": "x"}, true},
		"a claim nobody knows":              {map[string]any{"aud": []string{"x"}, "iss": 5}, true},
		"act with a hundred ops":            {map[string]any{"act": many(100)}, true},
		"act null":                          {map[string]any{"act": json.RawMessage("null")}, false},
		"act with more":                     {map[string]any{"act": many(101)}, false},
		"act a text":                        {map[string]any{"act": "msg.send"}, false},
		"a device":                          {map[string]any{"dev": "phone"}, true},
		"longer than 8 KiB as a whole":      {map[string]any{"jti": strings.Repeat("x", 8<<10)}, false},
	} {
		f := newFixture(t, skein.Settings{})
		f.clock.Store(sec * 1000)
		by, err := f.call("", "Bearer "+tokenOf(start, tt.claims).String())
		switch {
		case tt.ok && (err != nil || by.Client != "Tom"):
			t.Errorf("%s: got client %q and error %v, want Tom", name, by.Client, err)
		case !tt.ok && err != skein.ErrUnauthenticated: //nolint:errorlint // one answer for all
			t.Errorf("%s: got client %q and error %v, want %v", name, by.Client, err, skein.ErrUnauthenticated)
		}
	}
}

func TestClaimsAreReadStrictly(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	good := tokenOf(start, nil)
	sign := func(header, payload string) string {
		enc := base64.RawURLEncoding.EncodeToString
		signed := enc([]byte(header)) + "." + enc([]byte(payload))
		mac := hmac.New(sha256.New, []byte(good.secret))
		mac.Write([]byte(signed))
		return signed + "." + enc(mac.Sum(nil))
	}
	const header = `{"alg":"HS256","typ":"JWT"}`
	rest := fmt.Sprintf(`"app":"shop","exp":%d,"iat":%d`, start/1000+600, start/1000)
	for payload, want := range map[string]bool{
		`{"sub":"Tom",` + rest + `}`:                                       true,
		`{"sub":"Tom","act":[],` + rest + `}`:                              true,
		`{"sub":"Tom","act":null,` + rest + `}`:                            false,
		`{"sub":"Tom","dev":null,` + rest + `}`:                            false,
		`{"sub":"Tom","iat":null,"app":"shop","exp":99999999999}`:          false,
		`{"sub":"Jerry","sub":"Tom",` + rest + `}`:                         false,
		`{"sub":"Tom","sub":"Tom",` + rest + `}`:                           false,
		`{"sub":"Tom","x":1,"x":1,` + rest + `}`:                           false,
		`{"sub":"Tom","act":["msg.send"],"act":["msg.list"],` + rest + `}`: false,
		`{"sub":"Tom","\u0073ub":"Tom",` + rest + `}`:                      false,
		`{"SUB":"Tom",` + rest + `}`:                                       false,
		`{"sub":"Tom",` + rest + `}{}`:                                     false,
	} {
		_, err := f.call("", "Bearer "+sign(header, payload))
		if got := err == nil; got != want {
			t.Errorf("%s: got error %v, want allowed %v", payload, err, want)
		}
	}
	_, err := f.call("", "Bearer "+sign(`{"alg":"none","alg":"HS256"}`, `{"sub":"Tom",`+rest+`}`))
	f.wantErr("a header that names alg twice", err, skein.ErrUnauthenticated)
}

func TestOnlyHS256WithTheSecretOfTheAppSigns(t *testing.T) {
	right := func() token { return tokenOf(start, nil) }
	with := func(change func(*token)) string {
		t := right()
		change(&t)
		return t.String()
	}
	whole := right().String()
	signed, sig, _ := strings.Cut(whole[strings.Index(whole, ".")+1:], ".")
	for name, text := range map[string]string{
		"alg none":                               with(func(t *token) { t.header["alg"], t.hash = "none", nil }),
		"alg None, signed":                       with(func(t *token) { t.header["alg"] = "None" }),
		"alg HS512":                              with(func(t *token) { t.header["alg"], t.hash = "HS512", sha512.New }),
		"alg HS384":                              with(func(t *token) { t.header["alg"], t.hash = "HS384", sha512.New384 }),
		"alg RS256, signed HS256":                with(func(t *token) { t.header["alg"] = "RS256" }),
		"alg ES256, signed HS256":                with(func(t *token) { t.header["alg"] = "ES256" }),
		"alg hs256":                              with(func(t *token) { t.header["alg"] = "hs256" }),
		"no alg":                                 with(func(t *token) { delete(t.header, "alg") }),
		"HS256, signed HS512":                    with(func(t *token) { t.hash = sha512.New }),
		"another app's secret":                   with(func(t *token) { t.secret = "other-secret-of-more-than-32-bytes-x" }),
		"an empty secret":                        with(func(t *token) { t.secret = "" }),
		"a crit nobody understands":              with(func(t *token) { t.header["crit"] = []string{"b64"} }),
		"no signature":                           strings.TrimSuffix(whole, sig),
		"half a signature":                       whole[:len(whole)-20],
		"a padded signature":                     whole + "=",
		"the last bits of the signature changed": whole[:len(whole)-1] + string(rune(whole[len(whole)-1])^1),
		"two parts":                              signed,
		"four parts":                             whole + ".x",
		"empty":                                  "",
		"claims changed":                         strings.Replace(whole, "."+signed, "."+signed[:len(signed)-2]+"fQ", 1) + "x",
	} {
		f := newFixture(t, skein.Settings{})
		by, err := f.call("", "Bearer "+text)
		f.wantErr(name+": as "+by.Client, err, skein.ErrUnauthenticated)
		_, err = f.Login(t.Context(), Login{App: "shop", Client: "Tom", Device: "phone", Token: text})
		f.wantErr(name+", at login", err, skein.ErrUnauthenticated)
	}
	f := newFixture(t, skein.Settings{})
	_, err := f.call("", "bEARER  "+whole)
	f.must(err)
}

func TestAnAppWithoutASecretTakesNoToken(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	app := f.apps["shop"]
	app.TokenSecret = nil
	f.setApp(app)
	unsigned := tokenOf(start, nil)
	unsigned.secret = ""
	_, err := f.call("", "Bearer "+unsigned.String())
	f.wantErr("signed with the empty secret", err, skein.ErrUnauthenticated)
}

// A cut is a moment; what was issued at or before it is refused.
func TestACutRefusesWhatWasIssuedUntilThen(t *testing.T) {
	const cut = start + 400 // in the middle of a second
	whole := float64(cut / 1000)
	iat := func(m skein.Millis) float64 { return float64(m) / 1000 }
	for name, tt := range map[string]struct {
		iat  any
		dev  any
		cut  skein.Millis
		cuts map[string]skein.Millis
		ok   bool
	}{
		"never cut":                           {iat(cut), nil, 0, nil, true},
		"no iat, never cut":                   {nil, nil, 0, nil, true},
		"no iat, cut":                         {nil, nil, cut, nil, false},
		"a second before":                     {iat(cut - 1000), nil, cut, nil, false},
		"in the same millisecond":             {iat(cut), nil, cut, nil, false},
		"a millisecond after":                 {iat(cut + 1), nil, cut, nil, true},
		"the same second, without a fraction": {whole, nil, cut, nil, false},
		"the next second, without a fraction": {whole + 1, nil, cut, nil, true},
		"its device cut":                      {iat(cut), "phone", 0, map[string]skein.Millis{"phone": cut}, false},
		"its device cut before it":            {iat(cut + 1), "phone", 0, map[string]skein.Millis{"phone": cut}, true},
		"another device cut":                  {iat(cut), "phone", 0, map[string]skein.Millis{"pad": cut}, true},
		"its device cut, all of them later":   {iat(cut + 1), "phone", cut + 1, map[string]skein.Millis{"phone": cut}, false},
	} {
		f := newFixture(t, skein.Settings{})
		f.pass(10 * time.Second)
		f.setClient(skein.Client{App: "shop", ID: "Tom", Cut: tt.cut, DeviceCuts: tt.cuts})
		text := tokenOf(start, map[string]any{"iat": tt.iat, "dev": tt.dev}).String()
		_, err := f.call("", "Bearer "+text)
		_, loginErr := f.Login(t.Context(), Login{App: "shop", Client: "Tom", Device: "phone", Token: text})
		if tt.ok {
			f.must(err)
			f.must(loginErr)
			continue
		}
		f.wantErr(name, err, skein.ErrUnauthenticated)
		f.wantErr(name+", at login", loginErr, skein.ErrUnauthenticated)
	}
}

func TestATokenForAnyDeviceIsRefusedOnTheOneThatWasCut(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	f.setClient(skein.Client{App: "shop", ID: "Tom", DeviceCuts: map[string]skein.Millis{"phone": start}})
	text := tokenOf(start, nil).String()
	_, err := f.Login(t.Context(), Login{App: "shop", Client: "Tom", Device: "phone", Token: text})
	f.wantErr("on the phone", err, skein.ErrUnauthenticated)
	_, err = f.Login(t.Context(), Login{App: "shop", Client: "Tom", Device: "pad", Token: text})
	f.must(err)
	_, err = f.call("", "Bearer "+text)
	f.wantErr("by REST, which names no device", err, skein.ErrUnauthenticated)
	_, err = f.Login(t.Context(), Login{App: "shop", Client: "Tom", Token: text})
	f.wantErr("on no device", err, skein.ErrUnauthenticated)
	_, err = f.call("", "Bearer "+tokenOf(start, map[string]any{"dev": "pad"}).String())
	f.must(err)
}

func TestATokenMintedAfterACutIsNotCaughtByIt(t *testing.T) {
	for range 2000 {
		now := start + skein.Millis(rand.Int64N(1e10))
		f := newFixture(t, skein.Settings{})
		f.clock.Store(int64(now))
		f.setClient(skein.Client{App: "shop", ID: "Tom", Cut: now})
		text, expires, err := Mint(f.apps["shop"], Grant{Client: "Tom", TTL: time.Hour}, now.Time(), now)
		f.must(err)
		by, err := f.call("", "Bearer "+text)
		if err != nil || by.Expires != expires || expires != (now+1).Add(time.Hour) {
			t.Fatalf("minted at %d, in the millisecond of the cut: error %v, end %d, read as %d, want no error and an hour from then", now, err, expires, by.Expires)
		}
	}
}

func TestMintKeepsToTheBounds(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	for ttl, ok := range map[time.Duration]bool{
		time.Second: true, skein.MaxTokenLife: true, 0: false, -time.Hour: false, time.Second - 1: false, skein.MaxTokenLife + 1: false,
	} {
		text, _, err := Mint(f.apps["shop"], Grant{Client: "Tom", Device: "phone", Actions: []string{}, TTL: ttl}, start.Time(), 0)
		if !ok {
			f.wantErr(ttl.String(), err, skein.ErrMalformed)
			continue
		}
		f.must(err)
		by, err := f.call("", "Bearer "+text)
		f.must(err)
		if by.Device != "phone" || by.MayDo("msg.send") {
			t.Errorf("%v: device %q, may send %v; want the phone, which an empty act lets do nothing", ttl, by.Device, by.MayDo("msg.send"))
		}
	}
}

func TestWhoIsBannedDeletedOrNotThereIsTold(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	header := "Bearer " + tokenOf(start, nil).String()
	f.setClient(skein.Client{App: "shop", ID: "Tom", BannedUntil: start + 1})
	_, err := f.call("", header)
	f.wantErr("banned", err, skein.ErrBanned)
	f.pass(time.Millisecond)
	_, err = f.call("", header)
	f.must(err)

	f.setClient(skein.Client{App: "shop", ID: "Tom", Deleted: true, Cut: start})
	_, err = f.call("", header)
	f.wantErr("deleted after the token was issued", err, skein.ErrUnauthenticated)
	later := "Bearer " + tokenOf(start+1000, nil).String()
	_, err = f.call("", later)
	f.wantErr("deleted before the token was issued", err, skein.ErrUnknownClient)

	_, err = f.call("", "Bearer "+tokenOf(start, map[string]any{"sub": "Nobody"}).String())
	f.wantErr("never there", err, skein.ErrUnknownClient)
	_, err = f.call(appKeyText, "Bearer "+tokenOf(start, map[string]any{"sub": "Nobody"}).String())
	f.wantErr("never there, beside a key", err, skein.ErrUnknownClient)
}

// FuzzToken: whatever is accepted was signed with HMAC-SHA256 and the app's secret,
// names the app, and has an end.
func FuzzToken(f *testing.F) {
	app := &skein.App{ID: "shop", TokenSecret: []byte(appSecret)}
	f.Add(tokenOf(start, nil).String())
	f.Add(tokenOf(start, map[string]any{"act": []string{"msg.send"}, "dev": "phone", "nbf": 1}).String())
	for _, alg := range []string{"none", "HS512", "RS256"} {
		odd := tokenOf(start, nil)
		odd.header["alg"] = alg
		f.Add(odd.String())
	}
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseToken(app, text, start.Time(), nil)
		if err != nil {
			return
		}
		parts := strings.Split(text, ".")
		mac := hmac.New(sha256.New, app.TokenSecret)
		mac.Write([]byte(parts[0] + "." + parts[1]))
		if len(parts) != 3 || parts[2] != base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) {
			t.Fatalf("accepted without the signature: %q", text)
		}
		head, err := base64.RawURLEncoding.DecodeString(parts[0])
		var header struct{ Alg string }
		if err != nil || json.Unmarshal(head, &header) != nil || header.Alg != "HS256" {
			t.Fatalf("accepted with header %s", head)
		}
		if c.App != "shop" || !skein.ValidClientID(c.Subject, false) || millis(c.Expires) <= start-60_000 {
			t.Fatalf("accepted with claims %+v", c)
		}
	})
}
