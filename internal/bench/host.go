package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/skein-im/skein/internal/testclient"
)

// host is what is measured: a server, or the floor.
type host struct {
	addr  string // host:port of REST and socket
	admin string // host:port of pprof; empty: none
	pid   int    // zero: unknown
	app   string
	key   string // empty: none

	child *child // nil: it is not ours
	data  string // its directory
	http  *http.Client
	from  sources
	token bool // logins need one

	secret []byte // signs tokens; nil: the server is asked for them
	bearer string // token of the client that calls; empty: the backend calls
}

// What `serve --dev` seeds.
const (
	devApp = "666666"
	devKey = "master"
)

// serve is the target, or a new server on an empty store.
func serve(ctx context.Context, o Options) (*host, error) {
	h := &host{http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: setupConnections, MaxConnsPerHost: setupConnections}}}
	if o.Target == "" {
		return h, h.start(ctx, o)
	}
	var err error
	if h.addr, err = hostOf("--target", o.Target); err != nil {
		return nil, err
	}
	if o.Admin != "" {
		if h.admin, err = hostOf("--admin", o.Admin); err != nil {
			return nil, err
		}
	}
	h.pid, h.app, h.key = o.PID, o.App, o.Key
	if err := h.ready(ctx); err != nil {
		return nil, err
	}
	return h, h.needToken(ctx)
}

// hostOf is the host:port of a URL.
func hostOf(flag, raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" || u.Port() == "" {
		return "", fmt.Errorf("%s: %q is no URL such as http://127.0.0.1:8080", flag, raw)
	}
	return u.Host, nil
}

// start runs `serve --dev` and fills in where it is.
func (h *host) start(ctx context.Context, o Options) error {
	if err := h.makeDirectory(o); err != nil {
		return err
	}
	h.app, h.key = devApp, devKey
	return h.spawn(ctx, o.Program, 0, "--dev")
}

// freeAddr is a loopback address on which nobody listens now.
func freeAddr() string {
	l, err := net.Listen("tcp4", "127.0.0.1:0") //nolint:noctx // at once
	if err != nil {
		return "127.0.0.1:0" // whoever uses it says what is wrong
	}
	defer func() { _ = l.Close() }() // it was only asked for its number
	return l.Addr().String()
}

// startFloor runs the bare relay.
func startFloor(o Options) (*host, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // it says nothing more
	c, err := spawn(nil, w, o.Self, FloorName)
	_ = w.Close() // the child has its own
	if err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		c.end()
		return nil, fmt.Errorf("floor: %w\n%s", err, c.log)
	}
	return &host{addr: strings.TrimSpace(line), pid: c.cmd.Process.Pid, child: c, http: &http.Client{}}, nil
}

// end stops what was started and removes what it kept.
func (h *host) end() {
	h.http.CloseIdleConnections()
	if h.child != nil {
		h.child.end()
	}
	if h.data != "" {
		_ = os.RemoveAll(h.data) // at worst it stays where temporary things do
	}
}

// explain adds what the server said last.
func (h *host) explain(err error) error {
	if h.child == nil {
		return err
	}
	if h.child.ended() {
		err = fmt.Errorf("%w; the server has ended", err)
	}
	if said := h.child.log.String(); said != "" {
		err = fmt.Errorf("%w\nThe server said last:\n%s", err, said)
	}
	return err
}

// ready waits until the server can serve.
func (h *host) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, maxPatience)
	defer cancel()
	for {
		status, err := h.get(ctx, h.addr, "/readyz")
		if status == http.StatusOK {
			return nil
		}
		if h.child != nil && h.child.ended() {
			return errors.New("the server does not start")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server at %s is not ready: status %d, %w", h.addr, status, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// get asks for a page of no envelope and throws it away.
func (h *host) get(ctx context.Context, addr, path string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return 0, err
	}
	resp, err := h.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// rss is the resident memory after the server gave back what it could.
func (h *host) rss(ctx context.Context) (int64, error) {
	if h.admin != "" {
		if _, err := h.get(ctx, h.admin, "/debug/pprof/heap?gc=1"); err != nil {
			return 0, fmt.Errorf("--admin: %w", err)
		}
	}
	return rssOf(h.pid)
}

// needToken finds out whether logins need a token, as apps but those of --dev do.
func (h *host) needToken(ctx context.Context) error {
	const probe = "benchprobe"
	s, err := h.dial(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	err = s.login(h.app, probe, device, "")
	var refused *testclient.Refusal
	if errors.As(err, &refused) && refused.Code == codeUnauthenticated {
		h.token = true
		return nil
	}
	if err == nil {
		err = h.call(ctx, http.MethodDelete, "/im/users/"+probe, nil, nil)
	}
	return err
}

// tokenOf is a token of the client; empty where the app is open.
func (h *host) tokenOf(ctx context.Context, client string) (string, error) {
	if !h.token {
		return "", nil
	}
	if h.secret != nil {
		return h.signed(client)
	}
	var raw json.RawMessage
	if err := h.call(ctx, http.MethodPost, "/im/users/"+client+"/token", map[string]any{"ttl": 3600}, &raw); err != nil {
		return "", err
	}
	var answer struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return "", fmt.Errorf("user.token: %w in %s", err, raw)
	}
	return answer.Token, nil
}
