package files

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/files/links"
)

// namePattern matches the names that Save makes. Such a name has no path separator.
var namePattern = regexp.MustCompile(`^[0-9a-f]{32}\.([0-9a-z]{2,4})$`)

// Handler serves GET and HEAD of one file. Its route is a ServeMux pattern that ends in
// {name}. A file never changes, so clients may cache it for a year. Browsers show images,
// audio and video inline, and never run a file.
func (s *Store) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		m := namePattern.FindStringSubmatch(name)
		if m == nil || kindOf(m[1]) == nil {
			s.notFound.ServeHTTP(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			s.notAllowed.ServeHTTP(w, r)
			return
		}
		s.serve(w, r, name, kindOf(m[1]))
	})
}

func (s *Store) serve(w http.ResponseWriter, r *http.Request, name string, k *kind) {
	u, found, err := s.find(r.Context(), name)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if !found {
		s.notFound.ServeHTTP(w, r)
		return
	}
	left, err := s.admit(r.Context(), u, r.URL.Query().Get(links.Param))
	switch {
	case errors.Is(err, skein.ErrUnknownApp):
		s.notFound.ServeHTTP(w, r)
		return
	case errors.Is(err, skein.ErrForbidden):
		s.refusedLinks.Inc()
		w.Header().Set("Cache-Control", "no-store")
		s.refuse(w, r, err)
		return
	case err != nil:
		s.fail(w, r, err)
		return
	}
	if k.inline && r.URL.Query().Has(widthParam) {
		s.thumbnailOr(w, r, u, name, left)
		return
	}
	f, info, err := s.storage.Open(r.Context(), name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.notFound.ServeHTTP(w, r)
		return
	case err != nil:
		s.fail(w, r, err)
		return
	}
	defer func() { _ = f.Close() }() // opened only for reading
	s.setHeaders(w.Header(), k.contentType, name[:32], left)
	if d := k.disposition(u.Title); d != "" {
		w.Header().Set("Content-Disposition", d)
	}
	http.ServeContent(w, r, name, info.At, f)
}

// setHeaders sets the headers of a file, or of a thumbnail of one.
func (s *Store) setHeaders(h http.Header, contentType, tag string, left time.Duration) {
	h.Set("Content-Type", contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", cacheControl(left))
	h.Set("Etag", `"`+tag+`"`)
}

// thumbnailOr answers with a thumbnail, or says why there is none.
func (s *Store) thumbnailOr(w http.ResponseWriter, r *http.Request, u skein.Upload, name string, left time.Duration) {
	err := s.serveThumbnail(w, r, u, name, left)
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist):
		s.notFound.ServeHTTP(w, r)
	case errors.Is(err, skein.ErrUnavailable) || r.Context().Err() != nil:
		s.fail(w, r, err)
	default:
		w.Header().Set("Cache-Control", "no-store")
		s.refuse(w, r, err)
	}
}

// cacheControl lets a client keep a file for as long as its link opens it. Proxies keep only files
// that are public.
func cacheControl(left time.Duration) string {
	if left == 0 {
		return "public, max-age=31536000, immutable"
	}
	return "private, max-age=" + strconv.Itoa(int(left/time.Second)) + ", immutable"
}

// fail answers that the store or the storage failed.
func (s *Store) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil {
		s.log.Warn("cannot read an upload", slog.Any("err", err))
	}
	s.away.ServeHTTP(w, r)
}

func unavailable(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, "unavailable", http.StatusServiceUnavailable)
}

func forbidden(w http.ResponseWriter, _ *http.Request, _ error) {
	http.Error(w, "forbidden", http.StatusForbidden)
}

func methodNotAllowed(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
}
