package httpx

import "net/http"

// What a page of another site may send and read, on every path alike. Cookies are
// not used, so credentials are not allowed.
var (
	corsMethods = []string{"GET, HEAD, POST, PUT, PATCH, DELETE"}
	corsHeaders = []string{"app-id, IM-APP-ID, app-key, Authorization, Content-Type, Accept-Language, request-id, X-Request-Id, request_id, Range, If-Range, If-None-Match"}
	corsExposed = []string{"X-Request-Id, Retry-After, Content-Disposition, Content-Range, Accept-Ranges, ETag"}
	corsMaxAge  = []string{"600"} // seconds
)

// IsPreflight reports whether a browser asks on behalf of a page what it may send.
func IsPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && len(r.Header["Origin"]) > 0 && len(r.Header["Access-Control-Request-Method"]) > 0
}

// AllowPage lets the page of r read the answer whose header is h.
func AllowPage(h http.Header, r *http.Request) {
	h["Access-Control-Allow-Origin"] = r.Header["Origin"][:1]
	h["Access-Control-Expose-Headers"] = corsExposed
}

// AnswerPreflight answers a preflight of a page that AllowPage was called for.
func AnswerPreflight(w http.ResponseWriter) {
	h := w.Header()
	h["Access-Control-Allow-Methods"] = corsMethods
	h["Access-Control-Allow-Headers"] = corsHeaders
	h["Access-Control-Max-Age"] = corsMaxAge
	w.WriteHeader(http.StatusNoContent)
}
