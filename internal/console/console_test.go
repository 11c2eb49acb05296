package console_test

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/skein-im/skein/internal/console"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/web"
)

func handler() http.Handler {
	return console.Handler(console.Options{
		App: "666666", Clients: []string{"Tom", "Jerry"},
		Ops: []*ops.Op{{Name: "msg.send", Method: "POST", Path: "/im/conversations/{conv_id}/message"}},
	})
}

func get(t *testing.T, method, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler().ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOwns(t *testing.T) {
	for path, want := range map[string]bool{
		"/": true, "/demo.json": true, "/favicon.svg": true, "/js/app.js": true, "/css/tokens.css": true,
		"": false, "/index.html": false, "/js": false, "/js/": false, "/embed.go": false, "/../go.mod": false,
		"/im/conversations": false, "/im/socket": false, "//": false, "/js/../js/app.js": false, "/test/log.test.js": false,
	} {
		if got := console.Owns(path); got != want {
			t.Errorf("Owns(%q): got %v, want %v", path, got, want)
		}
	}
}

func TestHeaders(t *testing.T) {
	for path, want := range map[string]string{
		"/":               "text/html; charset=utf-8",
		"/js/app.js":      "text/javascript; charset=utf-8",
		"/css/tokens.css": "text/css; charset=utf-8",
		"/favicon.svg":    "image/svg+xml",
		"/demo.json":      "application/json; charset=utf-8",
	} {
		res := get(t, "GET", path)
		if res.StatusCode != 200 || res.Header.Get("Content-Type") != want {
			t.Errorf("GET %s: got %d %q, want 200 %q", path, res.StatusCode, res.Header.Get("Content-Type"), want)
		}
		if res.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("GET %s: got headers %v, want no-cache", path, res.Header)
		}
		csp := res.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("GET %s: got policy %q", path, csp)
		}
	}
}

func TestMethods(t *testing.T) {
	if res := get(t, "HEAD", "/"); res.StatusCode != 200 || body(t, res.Body) != "" || res.ContentLength <= 0 {
		t.Errorf("HEAD /: got %d with length %d, want 200 and a length without a body", res.StatusCode, res.ContentLength)
	}
	if res := get(t, "POST", "/"); res.StatusCode != 405 || res.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST /: got %d Allow %q, want 405", res.StatusCode, res.Header.Get("Allow"))
	}
	if res := get(t, "GET", "/nothing"); res.StatusCode != 404 {
		t.Errorf("GET /nothing: got %d, want 404", res.StatusCode)
	}
}

func TestValidators(t *testing.T) {
	plain := get(t, "GET", "/js/app.js").Header.Get("ETag")
	zipped := get(t, "GET", "/js/app.js", "Accept-Encoding", "br, gzip").Header.Get("ETag")
	if plain == "" || plain == zipped {
		t.Fatalf("ETag: got %q and %q, want one for each form", plain, zipped)
	}
	for name, tt := range map[string]struct {
		header []string
		want   int
	}{
		"the same tag":             {[]string{"If-None-Match", plain}, 304},
		"a weak tag in a list":     {[]string{"If-None-Match", `"x", W/` + plain}, 304},
		"the tag of the other one": {[]string{"If-None-Match", zipped}, 200},
		"another tag":              {[]string{"If-None-Match", `"x"`}, 200},
	} {
		if res := get(t, "GET", "/js/app.js", tt.header...); res.StatusCode != tt.want {
			t.Errorf("%s: got %d, want %d", name, res.StatusCode, tt.want)
		}
	}
}

func TestGzip(t *testing.T) {
	want := body(t, get(t, "GET", "/").Body)
	for header, zipped := range map[string]bool{
		"gzip": true, "br;q=1.0, gzip;q=0.8": true, "": false, "br": false, "gzip;q=0": false,
	} {
		res := get(t, "GET", "/", "Accept-Encoding", header)
		if got := res.Header.Get("Content-Encoding") == "gzip"; got != zipped {
			t.Errorf("Accept-Encoding %q: gzip is %v, want %v", header, got, zipped)
			continue
		}
		var r io.Reader = res.Body
		if zipped {
			z, err := gzip.NewReader(r)
			if err != nil {
				t.Fatal(err)
			}
			r = z
		}
		if body(t, r) != want {
			t.Errorf("Accept-Encoding %q: the page differs", header)
		}
	}
}

func TestConfig(t *testing.T) {
	var got struct {
		AppID   string                       `json:"app_id"`
		Clients []string                     `json:"clients"`
		Socket  string                       `json:"socket"`
		Ops     map[string]map[string]string `json:"ops"`
	}
	if err := json.UnmarshalRead(get(t, "GET", "/demo.json").Body, &got); err != nil {
		t.Fatal(err)
	}
	if got.AppID != "666666" || len(got.Clients) != 2 || got.Socket != "/im/socket" ||
		got.Ops["msg.send"]["path"] != "/im/conversations/{conv_id}/message" {
		t.Errorf("demo.json: got %+v", got)
	}
}

// The whole page is small: the promise of shared/DESIGN.md.
func TestWeight(t *testing.T) {
	const most = 100_000
	total, count := int64(0), 0
	err := fs.WalkDir(web.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		path := "/" + name
		if name == "index.html" {
			path = "/"
		}
		total += get(t, "GET", path, "Accept-Encoding", "gzip").ContentLength
		count++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files, %d bytes gzipped", count, total)
	if total > most {
		t.Errorf("the page: got %d bytes gzipped, want at most %d", total, most)
	}
}

var (
	inline    = regexp.MustCompile(`(?i)<script(?:[^>]*[^>\s])?>[^<]|\son[a-z]+=|\sstyle=|<style|javascript:`)
	foreign   = regexp.MustCompile(`(?:src|href|url|from|import)\s*[=(\s]\s*["']?(?:https?:)?//`)
	unsafe    = regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\("style"`)
	preloaded = regexp.MustCompile(`(?:href|src)="(js/[^"]+)"`)
)

// What the policy forbids is not in the files, and every module is loaded at once
// rather than one behind the other.
func TestPagesHoldToThePolicy(t *testing.T) {
	page, err := web.Files.ReadFile("index.html")
	if err != nil {
		t.Fatal(err)
	}
	if m := inline.Find(page); m != nil {
		t.Errorf("index.html holds something inline: %q", m)
	}
	named := map[string]bool{}
	for _, m := range preloaded.FindAllSubmatch(page, -1) {
		named[string(m[1])] = true
	}
	err = fs.WalkDir(web.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := web.Files.ReadFile(name)
		if err != nil {
			return err
		}
		if m := foreign.Find(b); m != nil {
			t.Errorf("%s loads from elsewhere: %q", name, m)
		}
		if m := unsafe.Find(b); m != nil {
			t.Errorf("%s makes code or markup of strings: %q", name, m)
		}
		if strings.HasSuffix(name, ".js") && !named[name] {
			t.Errorf("index.html does not name %s", name)
		}
		delete(named, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for p := range named {
		t.Errorf("index.html names %s, which is not there", p)
	}
}
