package rest

import (
	"net/http"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/rest/httpx"
)

// varyOrigin is on every answer: what a cache keeps for one page may be kept from
// another.
var varyOrigin = []string{"Origin"}

// allowPage lets the web page behind a request read the answer, errors too, where
// the app that the request names allows the page or, where it names none that is
// known, some app does.
func (s *Server) allowPage(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Vary"] = varyOrigin
	if len(r.Header["Origin"]) == 0 {
		return
	}
	app, _ := appOf(r.Header) // the call says what is wrong with it
	from := s.opts.Trust.From(r)
	if from.Origin == "" || s.opts.Gate.AllowsOrigin(r.Context(), app, from.Origin) {
		httpx.AllowPage(h, r)
	}
}

// preflight answers a browser that asks what a page may send, on every path alike,
// and reports whether it did. A preflight does not say which app it is for, so a
// page is let through that some app allows; the call itself is held to its own app.
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
