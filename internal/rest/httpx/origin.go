package httpx

import (
	"net/http"
	"strings"
)

// foreignOrigin is the Origin of a request that a page of another site made; empty:
// there is none, or it is the page's own server that is asked. Several values are
// one that no list allows.
func (t Trust) foreignOrigin(r *http.Request, trusted bool) string {
	origins := r.Header["Origin"]
	if len(origins) == 0 {
		return ""
	}
	origin := strings.Join(origins, ", ")
	switch {
	case origin == "":
		return "null" // an empty header says as little as null does
	case strings.EqualFold(origin, originOf(t.base(r, trusted))),
		t.PublicURL != "" && strings.EqualFold(origin, originOf(t.PublicURL)):
		return ""
	default:
		return origin
	}
}

// originOf is the origin of a page at a URL: its scheme and host, without the port
// that the scheme implies.
func originOf(base string) string {
	scheme, rest, _ := strings.Cut(base, "://")
	host, _, _ := strings.Cut(rest, "/")
	switch scheme {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	}
	return scheme + "://" + host
}
