package e2e

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// An allowed file gets a name from the server, with the extension of its content, and is served
// so that no browser runs it. internal/files tests how each kind of content is recognised.
func TestAllowedFiles(t *testing.T) {
	t.Parallel()
	a := dev(t)
	link := regexp.MustCompile(`^` + regexp.QuoteMeta(a.s.url("/storage/uploads/")) + `[0-9a-f]{32}\.([a-z0-9]+)$`)
	for name, tt := range map[string]struct {
		content []byte
		ext     string
		typ     string
		inline  bool
	}{
		"a.png":                              {realPNG(t), "png", "image/png", true},
		"picture.txt":                        {realPNG(t), "png", "image/png", true},
		"no extension":                       {realJPEG(t), "jpg", "image/jpeg", true},
		"a.pdf":                              {[]byte("%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"), "pdf", "application/pdf", false},
		"a.txt":                              {[]byte("Plain words, 你好.\n"), "txt", "text/plain", false},
		"../../../etc/passwd":                {realPNG(t), "png", "image/png", true},
		`..\..\x.png`:                        {realPNG(t), "png", "image/png", true},
		"x.png; rm -rf":                      {realPNG(t), "png", "image/png", true},
		strings.Repeat("long", 300) + ".png": {realPNG(t), "png", "image/png", true},
	} {
		var u string
		a.s.upload(t, a.server(), multipartFile{"file", name, tt.content}).want(t, name, 0).into(t, &u)
		if m := link.FindStringSubmatch(u); m == nil || m[1] != tt.ext {
			t.Errorf("%q: link %q, want %s<32 hex>.%s", cut(name), u, a.s.url("/storage/uploads/"), tt.ext)
			continue
		}
		res, body := fetch(t, u, nil)
		h := res.Header
		if res.StatusCode != 200 || !bytes.Equal(body, tt.content) || !strings.HasPrefix(h.Get("Content-Type"), tt.typ) {
			t.Errorf("%q: GET %s: got %s, %q, %d bytes; want 200, %s, %d bytes", cut(name), u, res.Status, h.Get("Content-Type"), len(body), tt.typ, len(tt.content))
		}
		if attached := strings.HasPrefix(h.Get("Content-Disposition"), "attachment"); attached == tt.inline || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q: got headers %v, want nosniff, and an attachment: %v", cut(name), h, !tt.inline)
		}
		if h.Get("ETag") == "" || !strings.Contains(h.Get("Cache-Control"), "max-age=31536000") {
			t.Errorf("%q: ETag %q, Cache-Control %q, want an ETag and a year", cut(name), h.Get("ETag"), h.Get("Cache-Control"))
		}
		if res, part := fetch(t, u, headers{"Range": "bytes=1-3"}); res.StatusCode != 206 || !bytes.Equal(part, tt.content[1:4]) {
			t.Errorf("%q: bytes 1 to 3: got %s, %q", cut(name), res.Status, part)
		}
	}
	if _, err := os.Stat(a.s.Data + "/../etc"); err == nil {
		t.Error("an upload was stored under its own name")
	}
}

func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	a := dev(t)
	png := multipartFile{"file", "a.png", realPNG(t)}
	for name, tt := range map[string]struct {
		files []multipartFile
		code  int
	}{
		"html named png":           {[]multipartFile{{"file", "a.png", []byte("<html><script>alert(1)</script></html>")}}, 4601},
		"svg behind an xml line":   {[]multipartFile{{"file", "a.png", []byte(`<?xml version="1.0"?>` + "\n" + `<svg xmlns="http://www.w3.org/2000/svg"/>`)}}, 4601},
		"a shell script named txt": {[]multipartFile{{"file", "a.txt", []byte("#!/bin/sh\nrm -rf /\n")}}, 4601},
		"bytes of no kind":         {[]multipartFile{{"file", "a.mp3", []byte{0, 1, 2, 3, 0xfe, 0xdc, 0xba, 0x98, 0, 0, 9, 8, 7}}}, 4601},
		"no file":                  {nil, 4001},
		"another field":            {[]multipartFile{{"picture", "a.png", png.content}}, 4001},
	} {
		a.s.upload(t, a.server(), tt.files...).want(t, name, tt.code)
	}
	// Of two files the first counts (docs/decisions/0005), and the second is not kept.
	var u string
	first, second := multipartFile{"file", "a.txt", []byte("the first of two")}, multipartFile{"file", "b.txt", []byte("the second of two")}
	a.s.upload(t, a.server(), first, second).want(t, "two files", 0).into(t, &u)
	if _, body := fetch(t, u, nil); string(body) != string(first.content) {
		t.Errorf("two files: the link gives %q, want the first", body)
	}
	if kept, err := filesHolding(a.s.Data+"/uploads", string(second.content)); err != nil || len(kept) > 0 {
		t.Errorf("two files: the second is kept as %v, %v", kept, err)
	}
	body, contentType := multipartBody(t, png)
	whole, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		contentType string
		body        []byte
		status      int
	}{
		"JSON":                  {"application/json", []byte(`{}`), 415},
		"another boundary":      {"multipart/form-data; boundary=other", whole, 400},
		"cut short":             {contentType, whole[:len(whole)-40], 400},
		"cut short in the head": {contentType, whole[:60], 400},
		"no body":               {contentType, nil, 400},
	} {
		got := a.s.call(t, "POST", "/im/file/upload", a.server().with(headers{"Content-Type": tt.contentType}), bytes.NewReader(tt.body))
		if got.Status != tt.status {
			t.Errorf("%s: got %s, want HTTP %d", name, got, tt.status)
		}
	}
	nothingLeft(t, a.s)
	a.s.upload(t, a.server(), png).want(t, "a good file after all that", 0)
}

// zeros is a file of n bytes that begins as a PNG, as a multipart body that is
// made while it is read.
func zeros(t *testing.T, n int64) (io.Reader, string) {
	t.Helper()
	body, contentType := multipartBody(t, multipartFile{"file", "a.png", []byte("HERE")})
	whole, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	before, after, _ := bytes.Cut(whole, []byte("HERE"))
	png := realPNG(t)
	return io.MultiReader(bytes.NewReader(before), bytes.NewReader(png), io.LimitReader(zero{}, n-int64(len(png))), bytes.NewReader(after)), contentType
}

type zero struct{}

func (zero) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// A kill in the middle of an upload leaves nothing behind.
func TestKillInAnUploadLeavesNothing(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := demoApp(s)
	body, contentType := zeros(t, 50<<20)
	held := &holding{r: body, after: 10 << 20, reached: make(chan struct{}), release: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if ans, _ := s.try("POST", "/im/file/upload", a.server().with(headers{"Content-Type": contentType}), held); ans != nil {
			t.Errorf("an upload that was cut: got %s", ans)
		}
	}()
	<-held.reached
	s.Kill(t)
	close(held.release)
	<-done
	s.Restart(t)
	left, err := filesUnder(s.Data+"/uploads", "")
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("left behind after the restart: %v", left)
	}
	s.upload(t, a.server(), multipartFile{"file", "a.png", realPNG(t)}).want(t, "a good file after all that", 0)
}

// holding is a Reader that stops in the middle until it is released.
type holding struct {
	r                io.Reader
	after            int64
	reached, release chan struct{}
}

func (h *holding) Read(p []byte) (int, error) {
	if h.after <= 0 {
		select {
		case <-h.reached:
		default:
			close(h.reached)
		}
		<-h.release
	}
	n, err := h.r.Read(p)
	h.after -= int64(n)
	return n, err
}

// rss is the resident memory of the server in bytes; peak the most it ever was.
func (s *server) rss(t *testing.T) int64  { t.Helper(); return s.status(t, "VmRSS:") }
func (s *server) peak(t *testing.T) int64 { t.Helper(); return s.status(t, "VmHWM:") }

func (s *server) status(t *testing.T, key string) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Skipf("no /proc here: %v", err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == key {
			kib, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatalf("no %s in /proc", key)
	return 0
}

// nothingLeft waits until no upload is under way: those of other tests may be.
func nothingLeft(t *testing.T, s *server) {
	t.Helper()
	eventually(t, "no unfinished upload in "+s.Data, func() bool {
		left, err := filesUnder(s.Data, ".upload-", ".tmp", ".part")
		return err == nil && len(left) == 0
	})
}

// filesUnder are the files below dir whose name holds one of the marks.
func filesUnder(dir string, marks ...string) ([]string, error) {
	var found []string
	var walk func(string) error
	walk = func(dir string) error {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			path := dir + "/" + e.Name()
			if e.IsDir() {
				if err := walk(path); err != nil {
					return err
				}
			}
			for _, m := range marks {
				if !e.IsDir() && strings.Contains(e.Name(), m) {
					found = append(found, path)
				}
			}
		}
		return nil
	}
	return found, walk(dir)
}
