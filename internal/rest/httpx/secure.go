package httpx

import (
	"net"
	"net/http"
	"strings"

	"github.com/skein-im/skein"
)

// Headers that tell browsers what they must not do with an answer. A handler may replace all but
// the first, as the pages and the uploads do.
var (
	noSniff = []string{"nosniff"}
	// nothing: should a browser show an answer as a page after all, it loads nothing, runs nothing
	// and is in no frame.
	nothing = []string{"default-src 'none'; frame-ancestors 'none'"}
	// noStore: answers hold messages and tokens, and an app key is not a header that keeps caches
	// from storing them.
	noStore = []string{"no-store"}
	// hsts holds for the host that was asked, for a year, on all its ports.
	hsts = []string{"max-age=31536000"}
)

// Secured puts these headers on every answer of next. With strict, an answer over TLS also tells
// browsers to use nothing else for this host, unless the host is this machine alone: there other
// programs answer on other ports.
func Secured(next http.Handler, strict bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["X-Content-Type-Options"] = noSniff
		h["Content-Security-Policy"] = nothing
		h["Cache-Control"] = noStore
		if strict && r.TLS != nil && !isLoopbackHost(r.Host) {
			h["Strict-Transport-Security"] = hsts
		}
		next.ServeHTTP(w, r)
	})
}

// errUseTLS answers a call that came in the clear.
var errUseTLS error = &skein.Fault{Err: skein.ErrForbidden, Detail: "call https://"}

// RedirectToTLS sends callers to the same path at https://. base is where TLS is served; empty:
// at the host that was asked, on port. It refuses calls that carry something, so that their
// programs are corrected instead of sending their keys in the clear every time.
func RedirectToTLS(base, port string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := base
		if to == "" && validHost(r.Host) {
			to = "https://" + strings.TrimSuffix(net.JoinHostPort(hostOf(r.Host), port), ":443")
		}
		if to == "" || r.Method != http.MethodGet && r.Method != http.MethodHead {
			WriteError(w, r, errUseTLS)
			return
		}
		w.Header().Set("Location", to+r.URL.RequestURI())
		w.WriteHeader(http.StatusPermanentRedirect)
	})
}
