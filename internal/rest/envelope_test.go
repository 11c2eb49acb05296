package rest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestEveryAnswerIsTheEnvelope(t *testing.T) {
	f := newFixture(t, nil)
	f.files.save = func(context.Context, io.Reader) (string, error) { panic("a secret of the inside") }
	conv := f.group()
	const create = `{"client_id":"Tom","to_client_ids":["Jerry"],"conv_type":3}`
	for name, tt := range map[string]struct {
		method, path, body string
		headers            []string
		status, code       int
	}{
		"well":                      {"GET", "/im/conversations/" + conv, "", nil, 200, 0},
		"no such path":              {"GET", "/im/nothing", "", nil, 404, 4040},
		"the root":                  {"GET", "/", "", nil, 404, 4040},
		"a slash at the end":        {"GET", "/im/conversations/", "", nil, 404, 4040},
		"a slash twice":             {"GET", "/im//conversations", "", nil, 404, 4040},
		"a path with dots":          {"GET", "/im/users/../conversations", "", nil, 404, 4040},
		"a path with hidden dots":   {"GET", "/im/users/%2e%2e/conversations", "", nil, 404, 4040},
		"a path that is no UTF-8":   {"GET", "/im/%ff", "", nil, 404, 4040},
		"no such method":            {"PUT", "/im/conversations/" + conv, `{}`, nil, 405, 4050},
		"a method nobody knows":     {"BREW", "/im/conversations", "", nil, 405, 4050},
		"options":                   {"OPTIONS", "/im/conversations", "", nil, 405, 4050},
		"a body too large":          {"POST", "/im/conversations", strings.Repeat(" ", 256<<10) + create, nil, 413, 4130},
		"another media type":        {"POST", "/im/conversations", create, []string{"-Content-Type", "Content-Type: text/plain"}, 415, 4406},
		"no media type":             {"POST", "/im/conversations", create, []string{"-Content-Type"}, 415, 4406},
		"two media types":           {"POST", "/im/conversations", create, []string{"Content-Type: text/plain"}, 415, 4406},
		"a media type with more":    {"POST", "/im/conversations", create, []string{"-Content-Type", "Content-Type: Application/JSON; charset=utf-8"}, 200, 0},
		"a compressed body":         {"POST", "/im/conversations", create, []string{"Content-Encoding: gzip"}, 415, 4406},
		"large headers":             {"GET", "/im/conversations/" + conv, "", []string{"X-Large: " + strings.Repeat("x", 17<<10)}, 431, 4130},
		"headers that just fit":     {"GET", "/im/conversations/" + conv, "", []string{"X-Large: " + strings.Repeat("x", 15<<10)}, 200, 0},
		"no app":                    {"GET", "/im/conversations/" + conv, "", []string{"-App-Id"}, 400, 4002},
		"two apps":                  {"GET", "/im/conversations/" + conv, "", []string{"IM-APP-ID: other"}, 400, 4406},
		"the app twice":             {"GET", "/im/conversations/" + conv, "", []string{"IM-APP-ID: shop"}, 200, 0},
		"an app nobody knows":       {"GET", "/im/conversations/" + conv, "", []string{"-App-Id", "IM-APP-ID: other"}, 401, 4003},
		"a wrong key":               {"GET", "/im/conversations/" + conv, "", []string{"-App-Key", "app-key: guess"}, 401, 4003},
		"the key twice":             {"GET", "/im/conversations/" + conv, "", []string{"app-key: master"}, 401, 4003},
		"no key":                    {"GET", "/im/conversations/" + conv, "", []string{"-App-Key"}, 401, 4003},
		"no member":                 {"GET", "/im/conversations/" + conv, "", []string{"-App-Key", f.bearer("Jerry")}, 403, 4004},
		"no JSON":                   {"POST", "/im/conversations", `{"a"`, nil, 400, 4406},
		"no object":                 {"POST", "/im/conversations", `[]`, nil, 400, 4406},
		"two values":                {"POST", "/im/conversations", create + create, nil, 400, 4406},
		"an empty body":             {"POST", "/im/conversations", "", nil, 400, 4001},
		"somebody unknown":          {"GET", "/im/users/Nobody", "", nil, 404, 211},
		"an id that is none":        {"GET", "/im/users/a_b", "", nil, 400, 212},
		"no conversation":           {"GET", "/im/conversations/" + strings.Repeat("0", 32), "", nil, 404, 4011},
		"a query that is none":      {"GET", "/im/users?size=%zz", "", nil, 400, 4406},
		"a query that stands twice": {"GET", "/im/users?size=1&size=2", "", nil, 400, 4406},
		"a panic":                   {"POST", "/im/file/upload", uploadBody, []string{"-Content-Type", uploadType}, 500, 1},
		"an upload that is JSON":    {"POST", "/im/file/upload", `{}`, nil, 415, 4406},
	} {
		a := f.call(tt.method, tt.path, tt.body, tt.headers...)
		f.want(name, a, tt.status, tt.code)
		if strings.Contains(a.body, "secret") {
			t.Errorf("%s: the answer tells of the inside: %s", name, a.body)
		}
		if allow := a.header.Get("Allow"); (allow != "") != (tt.status == 405) {
			t.Errorf("%s: header Allow is %q", name, allow)
		}
	}
}

func TestAStarIsNoPath(t *testing.T) {
	f := newFixture(t, nil)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.URL.Path, r.RequestURI = "*", "*"
	w := httptest.NewRecorder()
	f.server.ServeHTTP(w, r)
	if a := (answer{status: w.Code, header: w.Header(), body: w.Body.String()}); a.status != 404 || !strings.Contains(a.body, `"code":4040`) {
		t.Errorf("GET *: HTTP %d %s, want the envelope of 404", a.status, a.body)
	}
}

func TestABodyOfUnknownLengthIsBoundedToo(t *testing.T) {
	f := newFixture(t, nil)
	r := f.request("POST", "/im/conversations", "x")
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat(" ", 257<<10))), -1
	f.want("257 KiB of spaces", f.send(r), 413, 4130)
	r = f.request("POST", "/im/conversations?where=[]", "x")
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(`{"client_id":"Tom","to_client_ids":["Jerry"],"conv_type":1}`)), -1
	f.want("a body, of whatever length, beside a where", f.send(r), 200, 0)
}

func TestAllowNamesTheMethodsOfThePath(t *testing.T) {
	f := newFixture(t, nil)
	for path, want := range map[string]string{
		"/im/conversations": "GET, HEAD, POST, PUT",
		"/im/file/upload":   "POST",
	} {
		if got := f.call("PATCH", path, "").header.Get("Allow"); got != want {
			t.Errorf("%s allows %q, want %q", path, got, want)
		}
	}
}

func TestHeadIsGetWithoutItsBody(t *testing.T) {
	f := newFixture(t, nil)
	for path, status := range map[string]int{"/im/users/Tom": 200, "/im/users/Nobody": 404, "/im/file/upload": 405, "/nothing": 404} {
		get, head := f.call("GET", path, ""), f.call("HEAD", path, "")
		if head.status != status || head.body != "" || head.header.Get("Content-Type") != get.header.Get("Content-Type") {
			t.Errorf("%s: HEAD is HTTP %d %q of %s, want %d as GET, without a body", path, head.status, head.body, head.header.Get("Content-Type"), status)
		}
	}
}

func TestTheRequestIDComesBack(t *testing.T) {
	f := newFixture(t, nil)
	for name, tt := range map[string]struct{ header, echoed string }{
		"request-id":   {"Request-Id: a b", `"a b"`},
		"X-Request-Id": {"X-Request-Id: 17", `"17"`},
		"request_id":   {"request_id: x", `"x"`},
		"none":         {"X-Other: x", `null`},
		"empty":        {"Request-Id: ", `null`},
		"too long":     {"Request-Id: " + strings.Repeat("x", 129), `null`},
		"not ASCII":    {"Request-Id: é", `null`},
	} {
		for _, path := range []string{"/im/users/Tom", "/im/users/Nobody", "/nothing"} {
			a := f.call("GET", path, "", tt.header)
			if !strings.HasSuffix(a.body, `"request-id":`+tt.echoed+`}`) {
				t.Errorf("%s at %s: got %s, want %s echoed", name, path, a.body, tt.echoed)
			}
			if id := a.header.Get("X-Request-Id"); tt.echoed != "null" && `"`+id+`"` != tt.echoed || len(id) > 128 {
				t.Errorf("%s at %s: header X-Request-Id is %q", name, path, id)
			}
		}
	}
}

func TestMessagesAreInTheLanguageAskedFor(t *testing.T) {
	f := newFixture(t, nil)
	for lang, want := range map[string]string{"": "未知用户: Nobody", "en-GB,en;q=0.9": "unknown user: Nobody", "fr": "未知用户: Nobody"} {
		if a := f.call("GET", "/im/users/Nobody", "", "Accept-Language: "+lang); a.text != want {
			t.Errorf("Accept-Language %q: message %q, want %q", lang, a.text, want)
		}
	}
}

func TestAPanicGivesItsPlaceBack(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Limits.Uploads = 2 })
	f.files.save = func(context.Context, io.Reader) (string, error) { panic("x") }
	for range 3 {
		f.want("a panic", f.call("POST", "/im/file/upload", uploadBody, "-Content-Type", uploadType), 500, 1)
	}
}

func TestAStoreThatIsAwayIsUnavailable(t *testing.T) {
	f := newFixture(t, nil)
	f.want("before", f.call("GET", "/im/users/Tom", ""), 200, 0)
	f.must(f.store.Close())
	a := f.call("GET", "/im/users/Tom", "")
	f.want("a read of the store", a, 503, 5030)
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestWhatNobodyExpectedIsLoggedUnderItsRequestID(t *testing.T) {
	f := newFixture(t, nil)
	f.files.save = func(context.Context, io.Reader) (string, error) { return "", errors.New("disk on fire") }
	a := f.call("POST", "/im/file/upload", uploadBody, "-Content-Type", uploadType, "Request-Id: r17")
	f.want("an error of no code", a, 500, 1)
	f.files.save = func(context.Context, io.Reader) (string, error) { panic("bad luck") }
	f.call("POST", "/im/file/upload", uploadBody, "-Content-Type", uploadType, "Request-Id: r18")
	f.call("GET", "/im/users/Nobody", "", "Request-Id: r19")
	for _, want := range []string{"disk on fire", "r17", "bad luck", "r18"} {
		if !strings.Contains(f.log.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	if strings.Contains(f.log.String(), "r19") || strings.Contains(f.log.String(), "master") {
		t.Errorf("the log holds what is nobody's business: %s", f.log)
	}
}

func TestAnAbortIsLeftToTheServer(t *testing.T) {
	f := newFixture(t, func(o *Options) {
		o.Routes = map[string]http.Handler{"/abort": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })}
	})
	if resp, err := f.client.Do(f.request("GET", "/abort", "")); err == nil {
		_ = resp.Body.Close() // it should not be there
		t.Errorf("answered HTTP %d, want a connection that ends", resp.StatusCode)
	}
}
