// Package console serves the embedded web pages: the demo chat and its configuration. It
// knows the op table and no other state of the server.
package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/ops/rows"
	"github.com/skein-im/skein/web"
)

// Options are the configuration of the pages.
type Options struct {
	App     string    // the demo app; it needs no tokens
	Clients []string  // clients of the demo app that the page suggests
	Ops     []*ops.Op // the page shows curl lines for them; nil: none
}

// configPath is the path of the configuration that a page loads.
const configPath = "/demo.json"

// policy is the Content-Security-Policy. A page may run only its own script and style
// files: nothing inline, nothing from other hosts, no markup made from strings. Images may
// come from other hosts over https; the page loads those only when the user asks.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self' blob: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// Owns reports whether the path is a page or a file of one.
func Owns(p string) bool {
	if p == "/" || p == configPath {
		return true
	}
	name, ok := strings.CutPrefix(p, "/")
	if !ok || name == "index.html" {
		return false
	}
	info, err := fs.Stat(web.Files, name)
	return err == nil && !info.IsDir()
}

// Handler serves the paths for which Owns is true. It compresses a file when it is first asked for.
func Handler(opts Options) http.Handler {
	c := &console{files: map[string]func() *file{}}
	err := fs.WalkDir(web.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := web.Files.ReadFile(name)
		if err != nil {
			return err
		}
		p := "/" + name
		if name == "index.html" {
			p = "/"
		}
		c.files[p] = sync.OnceValue(func() *file { return newFile(name, body) })
		return nil
	})
	if err != nil {
		panic("console: read the embedded pages: " + err.Error()) // they are in the binary
	}
	c.files[configPath] = sync.OnceValue(func() *file { return newFile(configPath, config(opts)) })
	return c
}

type console struct {
	files map[string]func() *file // by path; read-only after Handler
}

// file is one file, plain and compressed.
type file struct {
	contentType string
	plain       form
	zipped      form
}

type form struct {
	body []byte
	etag string
}

// types lists the content types, because the system's table differs between machines.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".json": "application/json; charset=utf-8",
	".svg":  "image/svg+xml",
}

func newFile(name string, body []byte) *file {
	contentType, ok := types[path.Ext(name)]
	if !ok {
		panic("console: no content type for " + name)
	}
	var zipped bytes.Buffer
	// Writing to memory with a valid level cannot fail.
	z, _ := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	_, _ = z.Write(body)
	_ = z.Close()
	sum := sha256.Sum256(body)
	tag := hex.EncodeToString(sum[:12])
	return &file{
		contentType: contentType,
		plain:       form{body, `"` + tag + `"`},
		zipped:      form{zipped.Bytes(), `"` + tag + `-gzip"`},
	}
}

// config is the content of configPath: the demo app and the routes of the ops.
func config(opts Options) []byte {
	type route struct {
		Method string `json:"method"`
		Path   string `json:"path"`
	}
	out := struct {
		AppID   string           `json:"app_id"`
		Clients []string         `json:"clients"`
		Socket  string           `json:"socket"`
		Storage string           `json:"storage"`
		Ops     map[string]route `json:"ops"`
	}{opts.App, opts.Clients, rows.SocketPath, skein.UploadsPath, map[string]route{}}
	for _, op := range opts.Ops {
		if op.REST() {
			out.Ops[op.Name] = route{op.Method, op.Path}
		}
	}
	b, err := json.Marshal(out, json.Deterministic(true))
	if err != nil {
		panic(fmt.Sprintf("console: encode the configuration: %v", err)) // cannot fail: it has only strings
	}
	return b
}

// ServeHTTP serves GET and HEAD, and answers 404 to other paths.
func (c *console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	read := c.files[r.URL.Path]
	if read == nil {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	f := read()
	form := &f.plain
	h.Add("Vary", "Accept-Encoding")
	if acceptsGzip(r.Header.Get("Accept-Encoding")) {
		form = &f.zipped
	}
	h.Set("ETag", form.etag)
	h.Set("Cache-Control", "no-cache")
	if known(r.Header.Get("If-None-Match"), form.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.contentType)
	if form == &f.zipped {
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(form.body)))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = w.Write(form.body) // fails only if the client has gone
	}
}

// known reports whether a list of entity tags contains etag.
func known(list, etag string) bool {
	for tag := range strings.SplitSeq(list, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == etag || tag == "*" {
			return true
		}
	}
	return false
}

// acceptsGzip reports whether the header lists gzip without q=0.
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		q, ok := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		value, err := strconv.ParseFloat(q, 64)
		return !ok || err == nil && value > 0
	}
	return false
}
