package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// elsewhere are requests that come from beyond the machine, each in one way.
var elsewhere = map[string]struct {
	host string
	h    headers
}{
	"another host":      {"evil.example", nil},
	"a look-alike host": {"localhost.evil.example:8080", nil},
	"an address":        {"192.0.2.1", nil},
	"X-Forwarded-For":   {"", headers{"X-Forwarded-For": "203.0.113.7"}},
	"X-Forwarded-Proto": {"", headers{"X-Forwarded-Proto": "https"}},
	"X-Forwarded-Host":  {"", headers{"X-Forwarded-Host": "localhost"}},
	"Forwarded":         {"", headers{"Forwarded": "for=203.0.113.7"}},
	"Via":               {"", headers{"Via": "1.1 proxy"}},
	"X-Real-IP":         {"", headers{"X-Real-IP": "203.0.113.7"}},
	"CF-Connecting-IP":  {"", headers{"CF-Connecting-IP": "203.0.113.7"}},
}

func TestTheDemoIsForThisMachineAlone(t *testing.T) {
	t.Parallel()
	a := dev(t)
	for name, tt := range elsewhere {
		for _, path := range []string{"/", "/demo.json", "/im/users", "/storage/uploads/x.png", "/im/socket", "/no/such/path"} {
			for _, credential := range []headers{a.server(), a.bare()} {
				res, body := fetchAs(t, a.s, "GET", path, tt.host, credential.with(tt.h))
				if res.StatusCode != http.StatusForbidden || !strings.Contains(body, "--allow-open-apps") {
					t.Errorf("%s: GET %s: got %s %.200s, want 403 and what to do", name, path, res.Status, body)
				}
			}
		}
		if c, err := a.s.dialSocketAs(tt.host, tt.h); err == nil {
			c.Drop()
			t.Errorf("%s: a socket was opened", name)
		}
		if res, _ := fetchAs(t, a.s, "GET", "/readyz", tt.host, tt.h); res.StatusCode != http.StatusOK {
			t.Errorf("%s: /readyz: got %s, want 200 for any probe", name, res.Status)
		}
	}
	for _, host := range []string{"", "localhost", "localhost:1234", "127.0.0.1", "[::1]:8080"} {
		if res, body := fetchAs(t, a.s, "GET", "/im/users", host, a.bare()); res.StatusCode != http.StatusOK {
			t.Errorf("host %q: got %s %.200s, want 200", host, res.Status, body)
		}
	}
	a.s.says(t, "--allow-open-apps") // what to do about the refused calls
}

func TestPagesOfOtherSitesMayNotCallTheDemo(t *testing.T) {
	t.Parallel()
	a := dev(t)
	own := "http://" + a.s.Addr
	for origin, want := range map[string]bool{
		own: true, "https://evil.example": false, "null": false, "http://localhost:1": false, "http://127.0.0.1:1": false, "file://": false,
		"http://" + a.s.Addr + ".evil.example": false,
	} {
		res, body := fetchAs(t, a.s, "GET", "/im/users", "", a.bare().with(headers{"Origin": origin}))
		if got := res.StatusCode == http.StatusOK; got != want {
			t.Errorf("origin %s: got %s %.200s, want it served: %v", origin, res.Status, body, want)
		}
		if got := res.Header.Get("Access-Control-Allow-Origin") != ""; got != want {
			t.Errorf("origin %s: readable by the page: %v, want %v", origin, got, want)
		}
		c, err := a.s.dialSocketAs("", headers{"Origin": origin})
		if (err == nil) != want {
			t.Errorf("origin %s: a socket: got %v, want it opened: %v", origin, err, want)
		}
		if err == nil {
			c.Drop()
		}
	}
}

func TestAllowedOriginsOfAnApp(t *testing.T) {
	t.Parallel()
	s := strictServer.get(t)
	shop, other := newApp(t, s, unique("shop"), "--allowed-origins", "https://shop.example,*.shop.example"), createApp(t, s)
	alice := shop.user(t, "alice")
	for origin, want := range map[string]bool{
		"":                                  true,
		"https://shop.example":              true,
		"https://www.shop.example":          true,
		"https://a.b.shop.example":          true,
		"http://shop.example":               false,
		"https://shop.example:8443":         false,
		"https://evilshop.example":          false,
		"https://shop.example.evil":         false,
		"https://www.shop.example.evil":     false,
		"https://www.shop.example@evil.com": false,
		"null":                              false,
		"https://evil.example":              false,
	} {
		h := headers{}
		if origin != "" {
			h["Origin"] = origin
		}
		res, body := fetchAs(t, s, "GET", "/im/users?size=1", "", shop.server().with(h))
		if got := res.StatusCode == http.StatusOK; got != want {
			t.Errorf("origin %q: got %s %.200s, want it served: %v", origin, res.Status, body, want)
		}
		wantPage := ""
		if want {
			wantPage = origin
		}
		if got := res.Header.Get("Access-Control-Allow-Origin"); got != wantPage || res.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("origin %q: Access-Control-Allow-Origin is %q, want %q", origin, got, wantPage)
		}
		if got := res.Header.Get("Vary"); !strings.Contains(got, "Origin") {
			t.Errorf("origin %q: Vary is %q, want Origin in it", origin, got)
		}
		if res, _ := fetchAs(t, s, "GET", "/im/users?size=1", "", other.server().with(h)); origin != "" && res.StatusCode != http.StatusForbidden {
			t.Errorf("origin %q: an app that allows none: got %s, want 403", origin, res.Status)
		}
		c, err := s.dialSocketAs("", h)
		if (err == nil) != want {
			t.Errorf("origin %q: a socket: got %v, want it opened: %v", origin, err, want)
		}
		if err != nil {
			continue
		}
		login := func(a *app) int {
			data := a.loginData(alice, "d")
			data["token"] = a.token(t, alice)
			ans, err := c.try("login", data)
			if err != nil {
				t.Fatal(err)
			}
			return ans.Code
		}
		if code := login(other); origin != "" && code != 4004 {
			t.Errorf("origin %q: login to an app that allows none: code %d, want 4004", origin, code)
		} else if origin != "" {
			if code := login(shop); code != 0 {
				t.Errorf("origin %q: login to the app: code %d, want 0", origin, code)
			}
		}
		c.Drop()
	}
	// A change is in force within 2 s.
	if _, errs, exit := skein(t, "app", "update", "--id", shop.ID, "--allowed-origins", "", "--data", s.Data); exit != 0 {
		t.Fatalf("skein app update: %s", errs)
	}
	eventually(t, "the origin is no longer allowed", func() bool {
		res, _ := fetchAs(t, s, "GET", "/im/users?size=1", "", shop.server().with(headers{"Origin": "https://shop.example"}))
		return res.StatusCode == http.StatusForbidden
	})
}

func TestPreflightsAndErrorsAreReadableByAllowedPages(t *testing.T) {
	t.Parallel()
	s := strictServer.get(t)
	page := "https://" + unique("page") + ".example"
	a := newApp(t, s, unique("shop"), "--allowed-origins", page)
	eventually(t, "the server follows `skein app create`", func() bool { return s.once(t, "GET", "/im/users", a.server(), nil).Code == 0 })
	asked := headers{"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "app-id,authorization,content-type"}
	for _, path := range []string{
		"/im/conversations", "/im/conversations/" + strings.Repeat("0", 32) + "/message", "/im/users/1/ban", "/im/file/upload",
		"/storage/uploads/x.png", "/im/messages/ranges", "/no/such/path",
	} {
		eventually(t, "the preflight is allowed", func() bool { // the list of all apps' origins is read once a second
			res, _ := fetchAs(t, s, "OPTIONS", path, "", asked.with(headers{"Origin": page}))
			return res.StatusCode == http.StatusNoContent
		})
		res, _ := fetchAs(t, s, "OPTIONS", path, "", asked.with(headers{"Origin": page}))
		h := res.Header
		if h.Get("Access-Control-Allow-Origin") != page || !strings.Contains(h.Get("Vary"), "Origin") {
			t.Errorf("OPTIONS %s: got %v, want the page allowed", path, h)
		}
		for _, name := range []string{"app-id", "IM-APP-ID", "app-key", "Authorization", "Content-Type", "request-id"} {
			if !strings.Contains(strings.ToLower(h.Get("Access-Control-Allow-Headers")), strings.ToLower(name)) {
				t.Errorf("OPTIONS %s: Access-Control-Allow-Headers is %q, want %s in it", path, h.Get("Access-Control-Allow-Headers"), name)
			}
		}
		for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
			if !strings.Contains(h.Get("Access-Control-Allow-Methods"), method) {
				t.Errorf("OPTIONS %s: Access-Control-Allow-Methods is %q, want %s in it", path, h.Get("Access-Control-Allow-Methods"), method)
			}
		}
		for _, origin := range []string{"https://evil.example", "null", page + ".evil"} {
			res, _ := fetchAs(t, s, "OPTIONS", path, "", asked.with(headers{"Origin": origin}))
			if got := res.Header.Get("Access-Control-Allow-Origin"); got != "" || res.StatusCode != http.StatusForbidden {
				t.Errorf("OPTIONS %s of %s: got %s and %q, want 403 and none", path, origin, res.Status, got)
			}
		}
	}
	for name, tt := range map[string]struct {
		method, path string
		h            headers
		status       int
	}{
		"a wrong key":     {"GET", "/im/users", a.server().with(headers{"app-key": "x"}), 401},
		"no app":          {"GET", "/im/users", nil, 400},
		"an unknown app":  {"GET", "/im/users", headers{"app-id": "none"}, 401},
		"unknown":         {"GET", "/im/users/none", a.server(), 404},
		"no such path":    {"GET", "/none", a.server(), 404},
		"no such method":  {"PATCH", "/im/users", a.server(), 405},
		"large headers":   {"GET", "/im/users", a.server().with(headers{"X": strings.Repeat("x", 17<<10)}), 431},
		"a file":          {"GET", "/storage/uploads/" + strings.Repeat("0", 32) + ".png", nil, 404},
		"a refused form":  {"POST", "/im/file/upload", a.server(), 415},
		"a socket's path": {"GET", "/im/socket", nil, 426},
	} {
		res, body := fetchAs(t, s, tt.method, tt.path, "", tt.h.with(headers{"Origin": page}))
		exposed := res.Header.Get("Access-Control-Expose-Headers")
		if res.StatusCode != tt.status || res.Header.Get("Access-Control-Allow-Origin") != page ||
			!strings.Contains(exposed, "X-Request-Id") || !strings.Contains(exposed, "Retry-After") {
			t.Errorf("%s: got %s, %v %.200s; want %d, readable by the page", name, res.Status, res.Header, body, tt.status)
		}
	}
}
