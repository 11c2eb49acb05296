package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// Logins to an app that asks for no token.
func TestLoginOnAnOpenApp(t *testing.T) {
	t.Parallel()
	a := dev(t)
	for name, tt := range map[string]struct {
		data  string
		codes []int
		names string
	}{
		"no data":              {`null`, is(4001, 4406), ""},
		"no app_id":            {`{"client_id":"1","device_id":"d"}`, is(4001, 4002), "app_id"},
		"no client_id":         {`{"app_id":"666666","device_id":"d"}`, is(4001), "client_id"},
		"no device_id":         {`{"app_id":"666666","client_id":"1"}`, is(4001), "device_id"},
		"an unknown app":       {`{"app_id":"nosuch","client_id":"1","device_id":"d"}`, is(4003), ""},
		"client_id no id":      {`{"app_id":"666666","client_id":"a-b","device_id":"d"}`, is(212), "client_id"},
		"client_id of 65":      {`{"app_id":"666666","client_id":"` + long(65) + `","device_id":"d"}`, is(212), ""},
		"client_id a float":    {`{"app_id":"666666","client_id":1.5,"device_id":"d"}`, is(4406), "client_id"},
		"client_id an object":  {`{"app_id":"666666","client_id":{},"device_id":"d"}`, is(4406), "client_id"},
		"device_id of 65":      {`{"app_id":"666666","client_id":"1","device_id":"` + long(65) + `"}`, is(4406), "device_id"},
		"device_id an object":  {`{"app_id":"666666","client_id":"1","device_id":{}}`, is(4406), "device_id"},
		"device_type nonsense": {`{"app_id":"666666","client_id":"1","device_id":"d","device_type":"toaster"}`, is(4406), "device_type"},
		"ext of over 16 KiB":   {`{"app_id":"666666","client_id":"1","device_id":"d","ext":"` + long(16<<10) + `"}`, is(4406), "ext"},
		"a token of nothing":   {`{"app_id":"666666","client_id":"1","device_id":"d","token":"x.y.z"}`, is(4003), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := a.s.socket(t)
			if err := c.sendText(`{"type":"login","data":` + tt.data + `,"id":"l"}`); err != nil {
				t.Fatal(err)
			}
			f := c.next(t)
			got, err := readAnswer("login", f)
			if err != nil {
				t.Error(err)
			}
			if !slices.Contains(tt.codes, got.Code) || !strings.Contains(got.Message, tt.names) || f.ID == nil || *f.ID != "l" {
				t.Errorf("login %s: got %s, want code %v naming %q, id l", cut(tt.data), f, tt.codes, tt.names)
			}
			// The socket stays for another try.
			c.ask(t, "login", a.loginData(unique("u"), "d")).want(t, "another try", 0)
		})
	}
}

func TestFirstLoginRegisters(t *testing.T) {
	t.Parallel()
	a := dev(t)
	id := unique("fresh")
	c := a.s.socket(t)
	data := a.loginData(id, "d")
	data["ext"], data["device_type"] = obj{"nickname": "liliSara"}, "web"
	c.ask(t, "login", data).want(t, "login", 0)
	got := a.must(t, "GET", userPath(id), nil)
	if got.text("client_id") != id || jsonOf(got.field("ext")) != `{"nickname":"liliSara"}` {
		t.Errorf("user after the first login: got %s", got)
	}
	// Ids may be integers.
	c2 := a.s.socket(t)
	c2.ask(t, "login", obj{"app_id": 666666, "client_id": 1111, "device_id": 77}).want(t, "login with integers", 0)
}

// Logins with tokens.
func TestLoginByToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := createApp(t, w.a.s)
	w.a.login(t, w.outsider, "d2")
	for name, h := range w.badCredentials(t, other) {
		token, ok := strings.CutPrefix(h["Authorization"], "Bearer ")
		if !ok && name != "no credential" || name == "a good token, a bad key" {
			continue
		}
		// A client of its own for each, since failures count against its name.
		c := w.a.s.socket(t)
		data := w.a.loginData(w.owner, "d"+unique(""))
		if token != "" {
			data["token"] = token
		}
		if got, err := c.try("login", data); err != nil || got.Code != 4003 && got.Code != 4290 {
			t.Errorf("login with %s: got %v, %v, want 4003", name, got, err)
		}
	}
	c := w.a.s.socket(t)
	data := w.a.loginData(w.outsider, "x")
	data["token"] = w.a.token(t, w.member)
	c.ask(t, "login", data).want(t, "login by another client's token", 4003, 4004)
	c2 := w.a.s.socket(t)
	data = w.a.loginData(w.member, "x")
	data["token"] = w.a.token(t, w.member, func(c jwt.MapClaims) { c["dev"] = "y" })
	c2.ask(t, "login", data).want(t, "login by another device's token", 4003, 4004)
}

// The newer login of the same client and device wins.
func TestSameDeviceKicksTheOlder(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one := a.user(t, "one")
	conv := a.group(t, one)
	older, elsewhere := a.login(t, one, "phone"), a.login(t, one, "desk")
	newer := a.login(t, one, "phone")
	f := older.expect(t, "logout.kick")
	var kick struct {
		Time   int64  `json:"time"`
		Reason string `json:"reason"`
	}
	if f.into(t, &kick); kick.Time < 1_600_000_000_000 || kick.Reason == "" {
		t.Errorf("logout.kick: got %s, want time and reason", f)
	}
	older.closed(t, 4401)
	newer.open(t)
	elsewhere.open(t)
	a.must(t, "POST", convPath(conv, "message"), obj{"from_client": one, "type": -1, "text": "to all", "no_sync": 1})
	newer.expectText(t, "to all")
	elsewhere.expectText(t, "to all")
}

// A ban, a logout and a delete close the client's live sockets, and say why.
func TestEndOfAClientClosesItsSockets(t *testing.T) {
	t.Parallel()
	a := strict(t)
	for name, tt := range map[string]struct {
		method, path string
		body         any
		relogin      []int // by the token of before
	}{
		"ban":    {"POST", "/ban", obj{"reason": "spam"}, is(213)},
		"logout": {"POST", "/logout", obj{}, is(4003)},
		"delete": {"DELETE", "", nil, is(4003)},
	} {
		t.Run(name, func(t *testing.T) {
			one, two := a.user(t, "one"), a.user(t, "two")
			token := a.token(t, one)
			c1, c2, other := a.loginWith(t, token, one, "d1"), a.loginWith(t, token, one, "d2"), a.login(t, two, "d1")
			a.must(t, tt.method, userPath(one)+tt.path, tt.body)
			for _, c := range []*socket{c1, c2} {
				c.closed(t, 4401)
				var kick struct {
					Reason string `json:"reason"`
				}
				if c.expect(t, "logout.kick").into(t, &kick); kick.Reason == "" {
					t.Errorf("%s: logout.kick without a reason", name)
				}
			}
			other.open(t)
			c, ans, err := a.tryLogin(token, one, "d1")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Drop)
			ans.want(t, "login by the token of before "+name, tt.relogin...)
			a.s.call(t, "GET", userPath(one), a.bearer(token), nil).want(t, "REST by the token of before "+name, tt.relogin...)
			if name == "logout" { // a token made after the cut is good again
				eventually(t, "a new token is taken", func() bool {
					return a.s.call(t, "GET", userPath(one), a.as(t, one), nil).Code == 0
				})
			}
		})
	}
}

// user.logout of one device leaves the others.
func TestLogoutOfOneDevice(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one := a.user(t, "one")
	phone, desk := a.login(t, one, "phone"), a.login(t, one, "desk")
	a.must(t, "POST", userPath(one, "logout"), obj{"device_id": "phone"})
	phone.closed(t, 4401)
	desk.open(t)
}
