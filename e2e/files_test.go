package e2e

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// zipOf is a zip archive of the named files.
func zipOf(t *testing.T, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range files {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(f, `<?xml version="1.0"?><x/>`)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func ftyp(brand string) []byte {
	return append([]byte("\x00\x00\x00\x18ftyp"+brand+"\x00\x00\x02\x00"+brand+"mp41"), make([]byte, 64)...)
}

// SPEC 9: what is allowed is stored under a name of ours with the extension of
// its content, whatever its own name says.
func TestAllowedFiles(t *testing.T) {
	t.Parallel()
	a := dev(t)
	link := regexp.MustCompile(`^` + regexp.QuoteMeta(a.s.url("/storage/uploads/")) + `[0-9a-f]{32}\.([a-z0-9]+)$`)
	seen := map[string]string{}
	for _, tt := range []struct {
		name    string
		content []byte
		ext     string
		typ     string
		inline  bool
	}{
		{"a.png", realPNG(t), "png", "image/png", true},
		{"a.jpeg", realJPEG(t), "jpg", "image/jpeg", true},
		{"picture.txt", realPNG(t), "png", "image/png", true},
		{"no extension", realJPEG(t), "jpg", "image/jpeg", true},
		{"a.gif", []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"), "gif", "image/gif", true},
		{"a.webp", append([]byte("RIFF\x24\x00\x00\x00WEBPVP8 "), make([]byte, 32)...), "webp", "image/webp", true},
		{"a.heic", ftyp("heic"), "heic", "image/heic", true},
		{"a.mp3", append([]byte("ID3\x03\x00\x00\x00\x00\x00\x0f"), make([]byte, 64)...), "mp3", "audio/mpeg", true},
		{"a.m4a", ftyp("M4A "), "m4a", "audio/", true},
		{"a.aac", bytes.Repeat([]byte{0xff, 0xf1, 0x50, 0x80, 0x02, 0x1f, 0xfc, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 8), "aac", "audio/aac", true},
		{"a.amr", append([]byte("#!AMR\n"), make([]byte, 64)...), "amr", "audio/amr", true},
		{"a.wav", append([]byte("RIFF\x24\x00\x00\x00WAVEfmt "), make([]byte, 32)...), "wav", "audio/", true},
		{"a.ogg", append([]byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x1e\x01vorbis"), make([]byte, 32)...), "ogg", "audio/ogg", true},
		{"a.mp4", ftyp("isom"), "mp4", "video/mp4", true},
		{"a.mov", ftyp("qt  "), "mov", "video/quicktime", true},
		{"a.webm", append([]byte("\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm\x42\x87\x81\x02"), make([]byte, 32)...), "webm", "video/webm", true},
		{"a.pdf", []byte("%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"), "pdf", "application/pdf", false},
		{"a.txt", []byte("Plain words, 你好.\n"), "txt", "text/plain", false},
		{"a.zip", zipOf(t, "a.txt"), "zip", "application/zip", false},
		{"named.png", zipOf(t, "b.txt"), "zip", "application/zip", false},
		{"a.docx", zipOf(t, "[Content_Types].xml", "_rels/.rels", "word/document.xml"), "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", false},
		{"a.xlsx", zipOf(t, "[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"), "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", false},
		{"a.pptx", zipOf(t, "[Content_Types].xml", "_rels/.rels", "ppt/presentation.xml"), "pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation", false},
		{"../../../etc/passwd", realPNG(t), "png", "image/png", true},
		{`..\..\x.png`, realPNG(t), "png", "image/png", true},
		{"x.png; rm -rf", realPNG(t), "png", "image/png", true},
		{strings.Repeat("long", 300) + ".png", realPNG(t), "png", "image/png", true},
	} {
		got := a.s.upload(t, a.server(), multipartFile{"file", tt.name, tt.content})
		if got.Code != 0 {
			t.Errorf("%q: got %s, want it stored as %s", cut(tt.name), got, tt.ext)
			continue
		}
		var u string
		got.into(t, &u)
		m := link.FindStringSubmatch(u)
		if m == nil || m[1] != tt.ext {
			t.Errorf("%q: link %q, want %s<32 hex>.%s", cut(tt.name), u, a.s.url("/storage/uploads/"), tt.ext)
			continue
		}
		if seen[u] != "" {
			t.Errorf("%q and %q got one link %s", tt.name, seen[u], u)
		}
		seen[u] = tt.name
		res, body := fetch(t, u, nil)
		h := res.Header
		if res.StatusCode != 200 || !bytes.Equal(body, tt.content) || !strings.HasPrefix(h.Get("Content-Type"), tt.typ) {
			t.Errorf("%q: GET %s: got %s, %q, %d bytes; want 200, %s, %d bytes", cut(tt.name), u, res.Status, h.Get("Content-Type"), len(body), tt.typ, len(tt.content))
		}
		if h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q: no nosniff", cut(tt.name))
		}
		if attached := strings.HasPrefix(h.Get("Content-Disposition"), "attachment"); attached == tt.inline {
			t.Errorf("%q: Content-Disposition %q, want attachment: %v", cut(tt.name), h.Get("Content-Disposition"), !tt.inline)
		}
		if h.Get("ETag") == "" || !strings.Contains(h.Get("Cache-Control"), "max-age=31536000") {
			t.Errorf("%q: ETag %q, Cache-Control %q, want an ETag and a year", cut(tt.name), h.Get("ETag"), h.Get("Cache-Control"))
		}
	}
	for what, path := range map[string]string{"an upload under its own name": a.s.Data + "/etc", "the parent": a.s.Data + "/../etc"} {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: %s is there", what, path)
		}
	}
}

// SPEC 9: never html, svg, scripts; nor what the app does not allow.
func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	a := dev(t)
	elf := append([]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00\x01\x00\x00\x00"), make([]byte, 128)...)
	exe := append([]byte("MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00"), make([]byte, 128)...)
	for name, tt := range map[string]multipartFile{
		"html":                      {"file", "a.html", []byte("<!DOCTYPE html><html><body>x</body></html>")},
		"html named png":            {"file", "a.png", []byte("<html><script>alert(1)</script></html>")},
		"html named txt":            {"file", "a.txt", []byte("<html><script>alert(1)</script></html>")},
		"html behind blanks":        {"file", "a.txt", []byte("\n\n   <HTML><body>x")},
		"html behind a mark":        {"file", "a.txt", []byte("\ufeff<!doctype html><title>x</title>")},
		"html behind a comment":     {"file", "a.txt", []byte("<!-- c --><html><script>alert(1)</script>")},
		"a script element alone":    {"file", "a.txt", []byte("<script>alert(1)</script>")},
		"svg":                       {"file", "a.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)},
		"svg behind an xml line":    {"file", "a.png", []byte(`<?xml version="1.0"?>` + "\n" + `<svg xmlns="http://www.w3.org/2000/svg"/>`)},
		"svg behind a doctype":      {"file", "a.txt", []byte(`<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"><svg/>`)},
		"xhtml":                     {"file", "a.xml", []byte(`<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></html>`)},
		"a shell script":            {"file", "a.sh", []byte("#!/bin/sh\nrm -rf /\n")},
		"a shell script named txt":  {"file", "a.txt", []byte("#!/bin/sh\nrm -rf /\n")},
		"a python script named jpg": {"file", "a.jpg", []byte("#!/usr/bin/env python3\nimport os\n")},
		"php":                       {"file", "a.txt", []byte("<?php system($_GET['c']); ?>")},
		"an exe named png":          {"file", "a.png", exe},
		"an ELF named png":          {"file", "a.png", elf},
		"gzip":                      {"file", "a.zip", append([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3}, make([]byte, 32)...)},
		"bytes of no kind":          {"file", "a.mp3", []byte{0, 1, 2, 3, 0xfe, 0xdc, 0xba, 0x98, 0, 0, 9, 8, 7}},
	} {
		if got := a.s.upload(t, a.server(), tt); got.Code != 4601 {
			t.Errorf("%s: got %s, want 4601", name, got)
		}
	}
	for name, tt := range map[string]struct {
		files []multipartFile
		codes []int
		names string
	}{
		"no file":        {nil, is(4001), "file"},
		"another field":  {[]multipartFile{{"picture", "a.png", realPNG(t)}}, is(4001), "file"},
		"an empty file":  {[]multipartFile{{"file", "a.png", nil}}, is(4001, 4406, 4601), ""},
		"empty text too": {[]multipartFile{{"file", "a.txt", nil}}, is(4001, 4406, 4601), ""},
	} {
		got := a.s.upload(t, a.server(), tt.files...)
		if !slices.Contains(tt.codes, got.Code) || !strings.Contains(got.Message, tt.names) {
			t.Errorf("%s: got %s, want code %v naming %q", name, got, tt.codes, tt.names)
		}
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
	body, contentType := multipartBody(t, multipartFile{"file", "a.png", realPNG(t)})
	whole, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		contentType string
		body        []byte
		status      []int
	}{
		"JSON":                   {"application/json", []byte(`{}`), is(415)},
		"no Content-Type":        {"", whole, is(415)},
		"no boundary":            {"multipart/form-data", whole, is(400, 415)},
		"another boundary":       {"multipart/form-data; boundary=other", whole, is(400)},
		"cut short":              {contentType, whole[:len(whole)-40], is(400)},
		"cut short in the head":  {contentType, whole[:60], is(400)},
		"no body":                {contentType, nil, is(400)},
		"an encoded body":        {contentType, whole, is(415)},
		"a part of a huge head":  {contentType, bytes.Replace(whole, []byte("Content-Type:"), []byte("X: "+long(2<<20)+"\r\nContent-Type:"), 1), is(200, 400, 413)},
		"a thousand small parts": {contentType, manyParts(t, contentType), is(200, 400, 413)},
	} {
		h := a.server().with(headers{"Content-Type": tt.contentType})
		if name == "an encoded body" {
			h["Content-Encoding"] = "gzip"
		}
		got := a.s.call(t, "POST", "/im/file/upload", h, bytes.NewReader(tt.body))
		if !slices.Contains(tt.status, got.Status) {
			t.Errorf("%s: got %s, want HTTP %v", name, got, tt.status)
		}
	}
	// Nothing refused is left behind.
	nothingLeft(t, a.s)
	a.s.upload(t, a.server(), multipartFile{"file", "a.png", realPNG(t)}).want(t, "a good file after all that", 0)
}

func manyParts(t *testing.T, contentType string) []byte {
	t.Helper()
	_, boundary, _ := strings.Cut(contentType, "boundary=")
	var b bytes.Buffer
	for i := range 1000 {
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=\"f%d\"\r\n\r\nx\r\n", boundary, i)
	}
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return b.Bytes()
}

// SPEC 9: Range, conditional requests, HEAD; and nothing but GET and HEAD.
func TestServedFile(t *testing.T) {
	t.Parallel()
	a := dev(t)
	content := []byte(strings.Repeat("0123456789", 100))
	var u string
	a.s.upload(t, a.server(), multipartFile{"file", "a.txt", content}).want(t, "upload", 0).into(t, &u)
	first, _ := fetch(t, u, nil)
	etag := first.Header.Get("ETag")
	for name, tt := range map[string]struct {
		method string
		h      headers
		status int
		body   string
		ranges string
	}{
		"a range":             {"GET", headers{"Range": "bytes=5-9"}, 206, "56789", "bytes 5-9/1000"},
		"the end":             {"GET", headers{"Range": "bytes=-3"}, 206, "789", "bytes 997-999/1000"},
		"from the middle":     {"GET", headers{"Range": "bytes=995-"}, 206, "56789", "bytes 995-999/1000"},
		"past the end":        {"GET", headers{"Range": "bytes=2000-"}, 416, "*", ""},
		"not modified":        {"GET", headers{"If-None-Match": etag}, 304, "", ""},
		"modified":            {"GET", headers{"If-None-Match": `"other"`}, 200, string(content), ""},
		"If-Range":            {"GET", headers{"Range": "bytes=0-1", "If-Range": `"other"`}, 200, string(content), ""},
		"HEAD":                {"HEAD", nil, 200, "", ""},
		"POST":                {"POST", nil, 405, "*", ""},
		"DELETE":              {"DELETE", nil, 405, "*", ""},
		"no credential asked": {"GET", headers{"Authorization": ""}, 200, string(content), ""},
	} {
		res, body := fetchBy(t, tt.method, u, tt.h)
		if res.StatusCode != tt.status || tt.body != "*" && string(body) != tt.body || tt.ranges != "" && res.Header.Get("Content-Range") != tt.ranges {
			t.Errorf("%s: got %s, %q, %.40q; want %d, %q, %.40q", name, res.Status, res.Header.Get("Content-Range"), body, tt.status, tt.ranges, tt.body)
		}
		if tt.method == "HEAD" && res.ContentLength != 1000 {
			t.Errorf("HEAD: Content-Length %d, want 1000", res.ContentLength)
		}
	}
	for _, path := range []string{
		"/storage/", "/storage", "/storage/uploads", "/storage/uploads/", "/storage/uploads/" + strings.Repeat("0", 32) + ".png", "/storage/uploads/x",
		strings.TrimPrefix(u, a.s.url("")) + "/", strings.TrimSuffix(strings.TrimPrefix(u, a.s.url("")), ".txt") + ".html",
	} {
		if got := a.s.call(t, "GET", path, nil, nil); got.Status != 404 {
			t.Errorf("GET %s: got %s, want 404", path, got)
		}
	}
}

func TestPublicURLIsThePrefixOfLinks(t *testing.T) {
	t.Parallel()
	s := start(t, withArgs("--public-url", "https://cdn.example/im"))
	a := demoApp(s)
	var u string
	s.upload(t, a.server(), multipartFile{"file", "a.png", realPNG(t)}).want(t, "upload", 0).into(t, &u)
	if !regexp.MustCompile(`^https://cdn\.example/im/storage/uploads/[0-9a-f]{32}\.png$`).MatchString(u) {
		t.Errorf("link: got %q, want https://cdn.example/im/storage/uploads/<32 hex>.png", u)
	}
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

// SPEC 9: at most 100 MiB, streamed: memory does not grow with the size.
func TestBigUploadIsStreamed(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := demoApp(s)
	s.upload(t, a.server(), multipartFile{"file", "a.png", realPNG(t)}).want(t, "a small file first", 0)
	before := s.rss(t)
	send := func(n int64) *answer {
		t.Helper()
		body, contentType := zeros(t, n)
		ans, err := s.try("POST", "/im/file/upload", a.server().with(headers{"Content-Type": contentType}), body)
		if ans == nil {
			// The server may answer and close before it has read it all.
			t.Logf("%d bytes: %v", n, err)
			return nil
		}
		if err != nil {
			t.Error(err)
		}
		return ans
	}
	got := send(100 << 20)
	if got == nil {
		t.Fatal("100 MiB: no answer")
	}
	got.want(t, "100 MiB", 0)
	var u string
	got.into(t, &u)
	res, _ := fetchBy(t, http.MethodHead, u, nil)
	if res.ContentLength != 100<<20 {
		t.Errorf("HEAD %s: Content-Length %d, want %d", u, res.ContentLength, 100<<20)
	}
	if grown := s.peak(t) - before; grown > 64<<20 {
		t.Errorf("an upload of 100 MiB: memory grew by %d MiB, want it streamed", grown>>20)
	}
	if got := send(100<<20 + 1); got != nil {
		got.want(t, "100 MiB and one byte", 4130)
	}
	nothingLeft(t, s)
	s.upload(t, a.server(), multipartFile{"file", "a.png", realPNG(t)}).want(t, "a good file after all that", 0)
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
