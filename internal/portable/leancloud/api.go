package leancloud

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

// What this package relies on, with the page of the public repository leancloud/docs
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
//     So a short page is never the proof of an end.
const (
	pageLimit  = 1000 // rows of a page of history or of a class, at most (v2, storage)
	maxAtOnce  = 30   // requests under way; LeanCloud refuses the 61st (faq)
	maxAnswer  = 256 << 20
	tries      = 9 // of one request that fails; a 429 is not counted
	firstPause = 500 * time.Millisecond
	maxPause   = time.Minute
	patience   = 5 * time.Minute // without a single answer the run ends
	codeQuota  = 140
)

// refusal is an answer that a retry does not change.
type refusal struct {
	Status int
	Code   int    `json:"code"`
	Text   string `json:"error"`
}

func (r *refusal) Error() string {
	if r.Code == 0 && r.Text == "" {
		return fmt.Sprintf("the server answers HTTP %d", r.Status)
	}
	return fmt.Sprintf("the server answers HTTP %d, code %d: %.200s", r.Status, r.Code, strings.ToValidUTF8(r.Text, "?"))
}

// errKey ends a run: no request can succeed.
var errKey = errors.New("the server refuses the app id or the master key")

// errCut: an answer did not arrive whole, or is not LeanCloud's.
var errCut = errors.New("answer cut off")

// errQuota ends a run that has no Daily bound.
var errQuota = errors.New("the app has used up its requests of today: run the same command again tomorrow, or give it a daily bound")

// api asks one server as one app. It is safe for concurrent use.
type api struct {
	base   *url.URL
	appID  string
	key    string
	http   *http.Client
	limit  time.Duration // for one request with its whole answer
	pace   *pace
	ledger *ledger
}

// checkServer refuses addresses to which the master key must not go.
func checkServer(server string) (*url.URL, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, fmt.Errorf("server: %q is no address such as https://abcdefgh.api.example.com", server)
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return nil, fmt.Errorf("server: %s is not encrypted, and the master key would pass it: give https://%s", server, u.Host)
	}
	u.Path, u.RawQuery, u.Fragment = strings.TrimSuffix(u.Path, "/"), "", ""
	return u, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func newAPI(o Options, base *url.URL, p *pace, l *ledger) *api {
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
		MaxIdleConnsPerHost: maxAtOnce,
		IdleConnTimeout:     30 * time.Second,
		TLSHandshakeTimeout: 30 * time.Second,
	}
	return &api{
		base: base, appID: o.AppID, key: strings.TrimSuffix(o.MasterKey, ",master"), limit: o.Timeout, pace: p, ledger: l,
		http: &http.Client{
			Transport: transport,
			// The key must not follow to another address.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func (a *api) close() { a.http.CloseIdleConnections() }

// get asks until there is a whole answer: JSON that ends where it should. It waits for
// its turn, and longer after a 429 or a failure. Errors: *refusal, errKey, errQuota,
// those of the context, or the last failure after the last try.
func (a *api) get(ctx context.Context, path string, query url.Values) (jsontext.Value, error) {
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
		if no, ok := errors.AsType[*refusal](err); ok {
			switch {
			case no.Code == codeQuota:
				if err := a.pace.quota(); err != nil {
					return nil, err
				}
				continue
			case no.Status == http.StatusUnauthorized:
				return nil, fmt.Errorf("%w: %w", errKey, no)
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
		if errors.Is(err, errCut) {
			try++ // a smaller page may pass
		}
		a.ledger.retried(err)
		if err := a.pace.retry(ctx, try, wait); err != nil {
			return nil, err
		}
	}
	if a.pace.dead() {
		return nil, fmt.Errorf("%w: %w", errGone, last)
	}
	return nil, last
}

// errGone ends a run: the server has not answered anything for long.
var errGone = errors.New("the server does not answer: run the same command again later, it goes on where it stopped")

// once asks once. A body that is no whole JSON value was cut off, whatever its headers
// say: a connection that closes in the middle looks like an end.
func (a *api) once(ctx context.Context, address string) (_ jsontext.Value, wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, a.limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, 0, err
	}
	req.Header["X-LC-Id"] = []string{a.appID}
	req.Header["X-LC-Key"] = []string{a.key + ",master"}
	req.Header.Set("Accept", "application/json")
	a.ledger.asked()
	res, err := a.http.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer closing(res.Body)
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if res.StatusCode != http.StatusOK {
		no := &refusal{}
		if json.Unmarshal(body, no, lenient) != nil {
			*no = refusal{}
		}
		no.Status = res.StatusCode
		if to := res.Header.Get("Location"); to != "" {
			no.Text = "it points to another address, which is not followed: " + to
		}
		return nil, retryAfter(res.Header.Get("Retry-After"), a.pace.clock.Now()), no
	}
	switch {
	case err != nil:
		return nil, 0, fmt.Errorf("%w after %d bytes: %w", errCut, len(body), err)
	case len(body) > maxAnswer:
		return nil, 0, fmt.Errorf("answer of more than %d bytes", maxAnswer)
	}
	value := jsontext.Value(bytes.TrimSpace(body))
	if !value.IsValid(lenientText) {
		return nil, 0, fmt.Errorf("%w after %d bytes: no whole JSON value", errCut, len(body))
	}
	return value, 0, nil
}

// closing closes what was read: nothing is lost where that fails.
func closing(c io.Closer) { _ = c.Close() }

// lenient reads what LeanCloud answers: rows may hold anything an app wrote.
var (
	lenientText = jsontext.AllowInvalidUTF8(true)
	lenient     = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
)

// retryAfter reads seconds or an HTTP date; zero: there is none.
func retryAfter(header string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(strings.TrimSpace(header)); err == nil && n > 0 {
		return time.Duration(min(n, 1e6)) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}
