// Package api sends requests to the REST API of LeanCloud IM: at a pace that LeanCloud
// allows, with retries, and never with the master key to another address. It knows nothing
// of what the answers mean.
package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// What the dump relies on, with the page of the public repository leancloud/docs
// that says so. "v2" is views/realtime_rest_api_v2.md at commit e0a3bc4, "v1"
// views/realtime_rest_api.md in its history, "storage" views/rest_api.md, "faq"
// docs/sdk/storage/faq.mdx, "overview" docs/sdk/im/guide/overview.mdx, "codes"
// docs/sdk/other/error-code.mdx.
//
//   - X-LC-Id names the app, X-LC-Key carries KEY,master (storage, request format).
//   - Errors are a JSON object {code, error} with a status outside 2xx (storage); 429 is
//     too many at once, 140 the daily quota (codes). The free plan has 30,000 requests a
//     day, a paid one 60 requests at once; a 429 is not counted (faq).
//   - A query answers at most 6 MB and cuts longer results short without an error (faq).
//     So a short page does not prove that a list has ended.
const (
	PageLimit  = 1000 // rows of a page of history or of a class, at most (v2, storage)
	MaxAtOnce  = 30   // requests under way; LeanCloud refuses the 61st (faq)
	maxAnswer  = 256 << 20
	tries      = 9 // of one request that fails; a 429 is not counted
	firstPause = 500 * time.Millisecond
	maxPause   = time.Minute
	patience   = 5 * time.Minute // after this time without any answer the run ends
	codeQuota  = 140
)

// Refusal is an error of the server that a retry would not change.
type Refusal struct {
	Status int
	Code   int    `json:"code"`
	Text   string `json:"error"`
}

func (r *Refusal) Error() string {
	if r.Code == 0 && r.Text == "" {
		return fmt.Sprintf("the server answers HTTP %d", r.Status)
	}
	return fmt.Sprintf("the server answers HTTP %d, code %d: %.200s", r.Status, r.Code, strings.ToValidUTF8(r.Text, "?"))
}

// ErrKey ends a run: no request can succeed.
var ErrKey = errors.New("the server refuses the app id or the master key")

// ErrCut means that an answer was incomplete, or is not JSON.
var ErrCut = errors.New("answer cut off")

// ErrQuota ends a run that has no daily bound.
var ErrQuota = errors.New("the app has used up its requests of today: run the same command again tomorrow, or give it a daily bound")

// Client sends requests to one server for one app. It is safe for concurrent use.
type Client struct {
	base  *url.URL
	appID string
	key   string
	http  *http.Client
	limit time.Duration // for one request with its whole answer
	pace  *pace

	asked   func()
	retried func(error)
}

// CheckServer parses the address of a server, and refuses one to which the master key must
// not be sent.
func CheckServer(server string) (*url.URL, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, fmt.Errorf("server: %q is not an address such as https://abcdefgh.api.example.com", server)
	}
	if u.Scheme == "http" && !Loopback(u.Hostname()) {
		return nil, fmt.Errorf("server: %s is not encrypted, and the master key would be readable: use https://%s", server, u.Host)
	}
	u.Path, u.RawQuery, u.Fragment = strings.TrimSuffix(u.Path, "/"), "", ""
	return u, nil
}

// Loopback reports whether a host is this machine.
func Loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Options are the settings of a Client.
type Options struct {
	Base      *url.URL // from CheckServer
	AppID     string
	MasterKey string
	Timeout   time.Duration // for one request
	PerSecond float64       // requests a second
	Daily     *Daily        // nil: no bound
	Clock     Clock
	Say       func(string) // told why the client waits

	Asked   func()      // called before each request
	Retried func(error) // called with each error that leads to a retry
}

// New makes a client. The caller closes it.
func New(o Options) *Client {
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
		MaxIdleConnsPerHost: MaxAtOnce,
		IdleConnTimeout:     30 * time.Second,
		TLSHandshakeTimeout: 30 * time.Second,
	}
	return &Client{
		base: o.Base, appID: o.AppID, key: strings.TrimSuffix(o.MasterKey, ",master"), limit: o.Timeout,
		pace: newPace(o.Clock, o.PerSecond, o.Daily, o.Say), asked: o.Asked, retried: o.Retried,
		http: &http.Client{
			Transport: transport,
			// The client must not send the key to another address.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Close closes idle connections.
func (a *Client) Close() { a.http.CloseIdleConnections() }

// Get sends a request until the answer is complete JSON. It waits for its turn, and longer
// after a 429 or a failure. Errors: *Refusal, ErrKey, ErrQuota, ErrGone, the error of the
// context, or the last failure after the last try.
func (a *Client) Get(ctx context.Context, path string, query url.Values) (jsontext.Value, error) {
	u := *a.base
	u.RawPath = u.EscapedPath() + path
	u.Path, _ = url.PathUnescape(u.RawPath)
	u.RawQuery = query.Encode() // + as %2B, / as %2F
	var last error
	for try := 0; try < tries; {
		if err := a.pace.turn(ctx); err != nil {
			return nil, err
		}
		body, wait, err := a.once(ctx, u.String())
		a.pace.leave()
		switch {
		case err == nil:
			a.pace.answered()
			return body, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
		if no, ok := errors.AsType[*Refusal](err); ok {
			switch {
			case no.Code == codeQuota:
				if err := a.pace.quota(); err != nil {
					return nil, err
				}
				continue
			case no.Status == http.StatusUnauthorized:
				return nil, fmt.Errorf("%w: %w", ErrKey, no)
			case no.Status == http.StatusTooManyRequests:
				a.pace.hold(wait)
				continue
			case no.Status < http.StatusInternalServerError && no.Status != http.StatusRequestTimeout:
				a.pace.answered()
				return nil, no
			}
		}
		last = err
		try++
		if errors.Is(err, ErrCut) {
			try++ // a smaller page may pass
		}
		a.retried(err)
		if err := a.pace.retry(ctx, try, wait); err != nil {
			return nil, err
		}
	}
	if a.pace.dead() {
		return nil, fmt.Errorf("%w: %w", ErrGone, last)
	}
	return nil, last
}

// ErrGone ends a run: the server has not answered any request for five minutes.
var ErrGone = errors.New("the server does not answer: run the same command again later to continue")

// once sends one request. A body that is not one JSON value counts as cut off, whatever its
// headers say: a connection closed too early can look like the end of the body.
func (a *Client) once(ctx context.Context, address string) (_ jsontext.Value, wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, a.limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, 0, err
	}
	req.Header["X-LC-Id"] = []string{a.appID}
	req.Header["X-LC-Key"] = []string{a.key + ",master"}
	req.Header.Set("Accept", "application/json")
	a.asked()
	res, err := a.http.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if res.StatusCode != http.StatusOK {
		no := &Refusal{}
		if json.Unmarshal(body, no, lenient) != nil {
			*no = Refusal{}
		}
		no.Status = res.StatusCode
		if to := res.Header.Get("Location"); to != "" {
			no.Text = "it redirects to another address, which is not followed: " + to
		}
		return nil, retryAfter(res.Header.Get("Retry-After"), a.pace.clock.Now()), no
	}
	switch {
	case err != nil:
		return nil, 0, fmt.Errorf("%w after %d bytes: %w", ErrCut, len(body), err)
	case len(body) > maxAnswer:
		return nil, 0, fmt.Errorf("answer of more than %d bytes", maxAnswer)
	}
	value := jsontext.Value(bytes.TrimSpace(body))
	if !value.IsValid(lenientText) {
		return nil, 0, fmt.Errorf("%w after %d bytes: no whole JSON value", ErrCut, len(body))
	}
	return value, 0, nil
}

// lenient accepts what LeanCloud answers: rows may contain anything that an app wrote.
var (
	lenientText = jsontext.AllowInvalidUTF8(true)
	lenient     = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
)

// retryAfter parses seconds or an HTTP date. It returns zero for anything else.
func retryAfter(header string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(strings.TrimSpace(header)); err == nil && n > 0 {
		return time.Duration(min(n, 1e6)) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}
