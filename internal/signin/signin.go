// Package signin lets operators sign in with their browser, at an OpenID Connect provider. A
// session is a token of the operator in a cookie; package operators keeps it, and the Admin API
// takes it like any other.
package signin

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/oauth2"
	"golang.org/x/time/rate"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/operators"
	"github.com/skein-im/skein/internal/recent"
	"github.com/skein-im/skein/internal/rest/httpx"
	"github.com/skein-im/skein/internal/wire"
)

// Paths below the Admin API.
const (
	Path         = "/admin/sign-in"
	CallbackPath = Path + "/callback"
	signOutPath  = "/admin/sign-out"
	landingPath  = "/admin/me"
)

// Names of the cookies, after the prefix of hostPrefix. Both are for the server alone: no script
// reads them, and no other site sends them with a call that changes something.
const (
	sessionCookie = "skein_session"
	flowCookie    = "skein_sign_in" // state, nonce and verifier of a sign-in under way
	flowLife      = 10 * time.Minute
)

// hostPrefix begins the names of cookies over HTTPS: browsers then take them from this host alone,
// so no neighbouring host of the same domain can plant one.
const hostPrefix = "__Host-"

// Bounds of the calls of one address that begin or end a sign-in, whatever their outcome.
const (
	callsASecond = 2
	callsAtOnce  = 100
	maxAddresses = 10_000 // that are remembered
)

// Options configure sign-in.
type Options struct {
	Issuer       string // URL of the provider
	ClientID     string
	ClientSecret string // empty: a public client, which PKCE alone protects
	AdminURL     string // where browsers reach the admin address, without a slash at the end
	GroupsClaim  string // claim of the ID token that lists the groups of who signs in

	Roles map[string][]skein.OperatorIn // by group

	Operators  *operators.Service
	Trust      httpx.Trust
	Client     *http.Client
	Now        func() time.Time
	Log        *slog.Logger
	Registerer prometheus.Registerer
}

// SignIn is sign-in at one provider. Safe for concurrent use.
type SignIn struct {
	opts    Options
	origins *http.CrossOriginProtection
	calls   *recent.Shared[string, *rate.Limiter] // by address
	results *prometheus.CounterVec

	mu       sync.Mutex
	provider *oidc.Provider // guarded by mu; nil: not discovered yet
	scopes   []string       // guarded by mu
	failure  error          // of the newest discovery; guarded by mu
	failed   time.Time      // when that was; guarded by mu
}

// New is sign-in at the provider of o. It does not call the provider yet.
func New(o Options) (*SignIn, error) {
	s := &SignIn{
		opts: o, origins: http.NewCrossOriginProtection(), calls: recent.NewShared[string, *rate.Limiter](maxAddresses),
		results: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "skein_sign_ins_total",
			Help: "Sign-ins of operators: ok, refused (not from the provider, or without a role here), and failed (the provider or the store could not be asked).",
		}, []string{"result"}),
	}
	if err := s.origins.AddTrustedOrigin(originOf(o.AdminURL)); err != nil {
		return nil, err
	}
	o.Registerer.MustRegister(s.results)
	return s, nil
}

// originOf is scheme and host of a URL.
func originOf(base string) string {
	scheme, rest, _ := strings.Cut(base, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

// Handler serves the paths of sign-in, and lets calls of next show their session by its cookie.
func (s *SignIn) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signingIn := r.URL.Path == Path || r.URL.Path == CallbackPath
		switch {
		case signingIn && r.Method != http.MethodGet:
			w.Header().Set("Allow", "GET")
			httpx.WriteError(w, r, &skein.Fault{Err: wire.ErrMethod, Detail: "only GET"})
		case signingIn && !s.admits(r):
			s.results.WithLabelValues("refused").Inc()
			httpx.WriteError(w, r, skein.ErrRateLimited)
		case r.URL.Path == Path:
			s.begin(w, r)
		case r.URL.Path == CallbackPath:
			s.finish(w, r)
		case s.show(w, r):
			next.ServeHTTP(w, r)
		}
	})
}

// admits counts a call of sign-in. It reports false for an address that makes too many.
func (s *SignIn) admits(r *http.Request) bool {
	limit := s.calls.Renew(s.opts.Trust.From(r).Counted(), func(l *rate.Limiter, there bool) *rate.Limiter {
		if there {
			return l
		}
		return rate.NewLimiter(callsASecond, callsAtOnce)
	})
	return limit.AllowN(s.opts.Now(), 1)
}

// show makes the session of a cookie the token of the call. It reports false if it has answered: a
// page of another site sent the call.
func (s *SignIn) show(w http.ResponseWriter, r *http.Request) bool {
	cookie, err := r.Cookie(s.cookieName(sessionCookie))
	if err != nil || r.Header.Get("Authorization") != "" {
		return true
	}
	if err := s.origins.Check(r); err != nil {
		httpx.WriteError(w, r, &skein.Fault{Err: skein.ErrForbidden, Field: "Origin", Detail: "pages of another site may not use a session"})
		return false
	}
	r.Header.Set("Authorization", "Bearer "+cookie.Value)
	if r.URL.Path == signOutPath && r.Method == http.MethodPost {
		s.setCookie(w, sessionCookie, "", -1)
	}
	return true
}

// secure reports whether browsers reach the admin address over HTTPS.
func (s *SignIn) secure() bool { return strings.HasPrefix(s.opts.AdminURL, "https://") }

func (s *SignIn) cookieName(name string) string {
	if s.secure() {
		return hostPrefix + name
	}
	return name
}

func (s *SignIn) setCookie(w http.ResponseWriter, name, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure where it can be: --admin-url may be http:// on a network of one's own
		Name: s.cookieName(name), Path: "/", Value: value, MaxAge: seconds, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secure(),
	})
}

// begin sends the browser to the provider. What the answer is compared with stays in the browser,
// so that any node can take it.
func (s *SignIn) begin(w http.ResponseWriter, r *http.Request) {
	config, _, err := s.discover(r.Context())
	if err != nil {
		s.fail(w, r, "failed", skein.ErrUnavailable, err)
		return
	}
	state, nonce, verifier := rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	s.setCookie(w, flowCookie, state+"."+nonce+"."+verifier, int(flowLife/time.Second))
	w.Header().Set("Location", config.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)))
	w.WriteHeader(http.StatusSeeOther)
}

// finish takes the answer of the provider, and gives the browser a session.
func (s *SignIn) finish(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie(s.cookieName(flowCookie))
	if err != nil {
		s.fail(w, r, "refused", refused("begin at /admin/sign-in: this browser has no sign-in in progress"), err)
		return
	}
	s.setCookie(w, flowCookie, "", -1) // it is good for one answer
	flow := strings.Split(cookie.Value, ".")
	q := r.URL.Query()
	if len(flow) != 3 || subtle.ConstantTimeCompare([]byte(flow[0]), []byte(q.Get("state"))) != 1 {
		s.fail(w, r, "refused", refused("another browser began this sign-in"), nil)
		return
	}
	if reason := q.Get("error"); reason != "" {
		s.fail(w, r, "refused", refused("the provider refused"), errorText(reason[:min(len(reason), 100)]))
		return
	}
	who, err := s.exchange(r.Context(), q.Get("code"), flow[1], flow[2])
	if err != nil {
		s.fail(w, r, "refused", refused("the provider's answer is not valid"), err)
		return
	}
	call := skein.OperatorCall{Addr: s.opts.Trust.From(r).Addr.String(), RequestID: httpx.EnsureRequestID(w, r)}
	session, err := s.opts.Operators.SignIn(r.Context(), call, who.name(), s.rolesOf(who.groups))
	switch {
	case errors.Is(err, skein.ErrForbidden):
		s.fail(w, r, "refused", err, errorText("operator "+who.name()))
		return
	case err != nil:
		s.fail(w, r, "failed", err, err)
		return
	}
	s.results.WithLabelValues("ok").Inc()
	s.opts.Log.Info("an operator signed in", slog.String("operator", session.Operator), slog.String("addr", call.Addr))
	s.setCookie(w, sessionCookie, session.Token, int(operators.SessionLife/time.Second))
	w.Header().Set("Location", s.opts.AdminURL+landingPath)
	w.WriteHeader(http.StatusSeeOther)
}

// refused is an error of a sign-in that the server does not believe.
func refused(why string) error { return &skein.Fault{Err: skein.ErrUnauthenticated, Detail: why} }

// errorText is an error for the log alone.
type errorText string

func (e errorText) Error() string { return string(e) }

// fail answers why nobody is signed in; cause is for the log.
func (s *SignIn) fail(w http.ResponseWriter, r *http.Request, result string, answer, cause error) {
	s.results.WithLabelValues(result).Inc()
	s.opts.Log.Warn("an operator could not sign in", slog.Any("answer", answer), slog.Any("error", cause),
		slog.String("addr", s.opts.Trust.From(r).Addr.String()), slog.String("request_id", httpx.EnsureRequestID(w, r)))
	httpx.WriteError(w, r, answer)
}
