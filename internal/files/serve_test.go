package files

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const route = "/storage/uploads/"

// server serves a store as the program does, with answers of its own for what is
// not there.
func server(t *testing.T) (*Store, *httptest.Server) {
	t.Helper()
	s, err := Open(Options{
		Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler),
		NotFound:   http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "our 404", http.StatusNotFound) }),
		NotAllowed: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "our 405", http.StatusMethodNotAllowed) }),
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(route+"{name}", s.Handler())
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return s, srv
}

func save(t *testing.T, s *Store, data []byte) string {
	t.Helper()
	name, err := s.Save(t.Context(), bytes.NewReader(data), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func call(t *testing.T, method, url string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func TestAFileIsServedAsItWasTold(t *testing.T) {
	s, srv := server(t)
	shown := map[string]bool{"image": true, "audio": true, "video": true}
	for _, ext := range DefaultTypes {
		data := samples(t)[ext][0].data
		name := save(t, s, data)
		res, body := call(t, "GET", srv.URL+route+name)
		if res.StatusCode != 200 || body != string(data) {
			t.Errorf("%s: got %d and %d bytes, want 200 and %d", ext, res.StatusCode, len(body), len(data))
		}
		family, _, _ := strings.Cut(kindOf(ext).contentType, "/")
		disposition := "attachment"
		if shown[family] {
			disposition = ""
		}
		for header, want := range map[string]string{
			"Content-Type":            kindOf(ext).contentType,
			"X-Content-Type-Options":  "nosniff",
			"Content-Disposition":     disposition,
			"Content-Security-Policy": "default-src 'none'; sandbox",
			"Cache-Control":           "public, max-age=31536000, immutable",
			"Etag":                    `"` + strings.TrimSuffix(name, "."+ext) + `"`,
			"Accept-Ranges":           "bytes",
		} {
			if got := res.Header.Get(header); got != want {
				t.Errorf("%s: %s: got %q, want %q", ext, header, got, want)
			}
		}
		if res.Header.Get("Last-Modified") == "" {
			t.Errorf("%s: no Last-Modified", ext)
		}
	}
}

func TestPartsAndWhatTheCallerHasAlready(t *testing.T) {
	s, srv := server(t)
	name := save(t, s, []byte("0123456789"))
	url := srv.URL + route + name
	first, _ := call(t, "GET", url)
	tag, modified := first.Header.Get("Etag"), first.Header.Get("Last-Modified")
	for what, tt := range map[string]struct {
		method string
		header []string
		status int
		body   string
	}{
		"HEAD has no body":                  {"HEAD", nil, 200, ""},
		"a range":                           {"GET", []string{"Range", "bytes=2-4"}, 206, "234"},
		"the end":                           {"GET", []string{"Range", "bytes=-3"}, 206, "789"},
		"a range of the file I know":        {"GET", []string{"Range", "bytes=2-4", "If-Range", tag}, 206, "234"},
		"a range of another file is it all": {"GET", []string{"Range", "bytes=2-4", "If-Range", `"other"`}, 200, "0123456789"},
		"what I have by its tag":            {"GET", []string{"If-None-Match", tag}, 304, ""},
		"what I have by its time":           {"GET", []string{"If-Modified-Since", modified}, 304, ""},
		"what I do not have":                {"GET", []string{"If-None-Match", `"other"`}, 200, "0123456789"},
		"a range that is not there":         {"GET", []string{"Range", "bytes=10-"}, 416, "invalid range: failed to overlap\n"},
		"another method":                    {"POST", nil, 405, "our 405\n"},
		"deleting":                          {"DELETE", nil, 405, "our 405\n"},
	} {
		res, body := call(t, tt.method, url, tt.header...)
		if res.StatusCode != tt.status || body != tt.body {
			t.Errorf("%s: got %d %q, want %d %q", what, res.StatusCode, body, tt.status, tt.body)
		}
		if allow := res.Header.Get("Allow"); tt.status == 405 && allow != "GET, HEAD" {
			t.Errorf("%s: Allow: got %q", what, allow)
		}
	}
}

func TestNothingButUploadsIsServed(t *testing.T) {
	s, srv := server(t)
	name := save(t, s, []byte("secret"))
	for _, planted := range []string{"notes.txt", ".upload-1", strings.Repeat("a", 32) + ".html", strings.Repeat("b", 32)} {
		if err := os.WriteFile(filepath.Join(s.dir, planted), []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(s.dir, "..", strings.Repeat("c", 32)+".txt"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"notes.txt", ".upload-1", strings.Repeat("a", 32) + ".html", strings.Repeat("b", 32),
		strings.Repeat("0", 32) + ".txt", // well formed, not there
		"", ".", "%2e", "..%2f" + strings.Repeat("c", 32) + ".txt", "%2e%2e%2f" + strings.Repeat("c", 32) + ".txt",
		"..%5c" + name, "x%2f" + name, name + "/", name + "%00", name + ".txt", name + "%0a", strings.ToUpper(name),
		strings.TrimSuffix(name, ".txt") + ".png", strings.TrimSuffix(name, ".txt") + ".TXT",
	} {
		res, body := call(t, "GET", srv.URL+route+path)
		if res.StatusCode != 404 || strings.Contains(body, "secret") {
			t.Errorf("%s%s: got %d %q, want 404", route, path, res.StatusCode, body)
		}
	}
}

func TestADiskThatCannotBeReadIsUnavailable(t *testing.T) {
	s, srv := server(t)
	loop := strings.Repeat("a", 32) + ".txt"
	if err := os.Symlink(loop, filepath.Join(s.dir, loop)); err != nil {
		t.Fatal(err)
	}
	if res, body := call(t, "GET", srv.URL+route+loop); res.StatusCode != 503 || strings.Contains(body, s.dir) {
		t.Errorf("got %d %q, want 503 and nothing of our own", res.StatusCode, body)
	}
}
