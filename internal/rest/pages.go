package rest

import (
	"net/http"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/rest/httpx"
)

// varyOrigin is on every answer: one web page may be allowed to read it and another not.
var varyOrigin = []string{"Origin"}

// allowPage lets the web page that sent a request read the answer, errors too, if the app
// of the request allows its origin. If the request names no known app, any app that
// allows the origin is enough.
func (s *Server) allowPage(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Vary"] = varyOrigin
	if len(r.Header["Origin"]) == 0 || s.opts.Operators != nil { // no page calls the Admin API
		return
	}
	app, _ := appOf(r.Header) // the call itself answers the error
	from := s.opts.Trust.From(r)
	if from.Origin == "" || s.opts.Gate.AllowsOrigin(r.Context(), app, from.Origin) {
		httpx.AllowPage(h, r)
	}
}

// preflight answers a CORS preflight, the same on every path, and reports whether the
// request is one. A preflight does not name its app, so it succeeds if any app allows the
// origin. The call that follows needs the permission of its own app.
func (s *Server) preflight(w http.ResponseWriter, r *http.Request) bool {
	if !httpx.IsPreflight(r) {
		return false
	}
	if len(w.Header()["Access-Control-Allow-Origin"]) == 0 {
		httpx.WriteError(w, r, &skein.Fault{Err: skein.ErrForbidden, Field: "Origin", Detail: "not in any app's allowed_origins"})
		return true
	}
	httpx.AnswerPreflight(w)
	return true
}
