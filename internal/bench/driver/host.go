package driver

import (
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
	"sync/atomic"
	"time"

	"github.com/skein-im/skein/internal/bench/proc"
	"github.com/skein-im/skein/internal/testclient"
)

// Options say which server is measured.
type Options struct {
	Program string   // the server's binary
	Self    string   // the load generator's own, which also runs the floor and the attacks
	Dir     string   // where the stores of the servers it starts are
	Args    []string // flags for the servers it starts
	Nodes   int      // started for each scenario, on one PostgreSQL; zero: one server with an embedded store

	Database    string // URL of the PostgreSQL of those nodes, empty before each scenario; "": one is started
	DatabasePID int    // of its first process; zero: its CPU is not known

	Target []string // URLs of the nodes of a server that runs already; none: it is started for each scenario
	Admin  string   // URL of the first one's admin address; empty: no profile, memory as it is
	PID    []int    // of those nodes; none: their CPU and memory are not known
	App    string   // the app of that server
	Key    string   // the key of that app
}

// MaxPatience bounds a wait for the server, which starts slowly on a machine that is busy with others.
const MaxPatience = time.Minute

// Host is what is measured: a server, or the floor. Of a server of several nodes it is the first node, and others
// are the rest.
type Host struct {
	Addr  string // host:port of REST and socket
	Admin string // host:port of pprof; empty: none
	PID   int    // zero: unknown
	App   string
	Key   string // empty: none

	child *proc.Process // nil: it is not ours
	Data  string        // its directory
	http  *http.Client
	From  sources
	Token bool // logins need one

	others   []*Host
	database *database // nil: the embedded store, or one of which nothing is known
	calls    atomic.Int64

	Secret []byte // signs tokens; nil: the server is asked for them
	bearer string // token of the client that calls; empty: the backend calls
}

// What `serve --dev` seeds.
const (
	devApp = "666666"
	devKey = "master"
)

// Open is the target, or a new server on an empty store.
func Open(ctx context.Context, o Options) (*Host, error) {
	h := &Host{http: client()}
	switch {
	case len(o.Target) > 0:
		return h, h.reach(ctx, o)
	case o.Nodes > 0:
		return h, h.startCluster(ctx, o)
	default:
		return h, h.start(ctx, o)
	}
}

// reach fills in where the nodes of the target are.
func (h *Host) reach(ctx context.Context, o Options) (err error) {
	h.App, h.Key = o.App, o.Key
	if o.Admin != "" {
		if h.Admin, err = hostOf("--admin", o.Admin); err != nil {
			return err
		}
	}
	for i, target := range o.Target {
		node := h
		if i > 0 {
			node = h.another()
		}
		if node.Addr, err = hostOf("--target", target); err != nil {
			return err
		}
		if len(o.PID) > i {
			node.PID = o.PID[i]
		}
		if err := node.ready(ctx); err != nil {
			return err
		}
	}
	if err := h.needToken(ctx); err != nil {
		return err
	}
	for _, node := range h.others {
		node.Token = h.Token
	}
	if o.DatabasePID != 0 {
		h.database = &database{pid: o.DatabasePID, url: o.Database}
	}
	return nil
}

// client keeps connections for calls of the backend.
func client() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: SetupConnections, MaxConnsPerHost: SetupConnections}}
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
func (h *Host) start(ctx context.Context, o Options) error {
	if err := h.makeDirectory(o); err != nil {
		return err
	}
	h.App, h.Key = devApp, devKey
	return h.spawn(ctx, o.Program, 0, append(o.Args, "--dev")...)
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

// StartFloor runs the bare relay.
func StartFloor(o Options) (*Host, error) {
	c, err := proc.SpawnPiped(o.Self, FloorName)
	if err != nil {
		return nil, err
	}
	line, err := c.Out.ReadString('\n')
	if err != nil {
		c.End()
		return nil, c.Explain("floor", err)
	}
	c.Hush() // it says nothing more
	return &Host{Addr: strings.TrimSpace(line), PID: c.Cmd.Process.Pid, child: c.Process, http: &http.Client{}}, nil
}

// End stops what was started and removes what it kept.
func (h *Host) End() {
	for _, node := range h.others {
		node.End()
	}
	h.http.CloseIdleConnections()
	if h.child != nil {
		h.child.End()
	}
	h.database.end()
	if h.Data != "" {
		_ = os.RemoveAll(h.Data) // at worst it stays where temporary things do
	}
}

// Explain adds what the server said last.
func (h *Host) Explain(err error) error {
	for _, node := range h.others {
		err = node.Explain(err)
	}
	if h.child == nil {
		return err
	}
	if h.child.Ended() {
		err = fmt.Errorf("%w; the server at %s has ended", err, h.Addr)
	}
	if said := h.child.Log.String(); said != "" {
		err = fmt.Errorf("%w\nThe server said last:\n%s", err, said)
	}
	return err
}

// ready waits until the server can serve.
func (h *Host) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, MaxPatience)
	defer cancel()
	for {
		status, err := h.get(ctx, h.Addr, "/readyz")
		if status == http.StatusOK {
			return nil
		}
		if h.child != nil && h.child.Ended() {
			return errors.New("the server does not start")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server at %s is not ready: status %d, %w", h.Addr, status, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// get asks for a page of no envelope and throws it away.
func (h *Host) get(ctx context.Context, addr, path string) (status int, err error) {
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

// needToken finds out whether logins need a token, as apps but those of --dev do.
func (h *Host) needToken(ctx context.Context) error {
	const probe = "benchprobe"
	s, err := h.Dial(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	err = s.login(h.App, probe, device, "")
	var refused *testclient.Refusal
	if errors.As(err, &refused) && refused.Code == codeUnauthenticated {
		h.Token = true
		return nil
	}
	if err == nil {
		err = h.Call(ctx, http.MethodDelete, "/im/users/"+probe, nil, nil)
	}
	return err
}

// tokenOf is a token of the client; empty where the app is open.
func (h *Host) tokenOf(ctx context.Context, client string) (string, error) {
	if !h.Token {
		return "", nil
	}
	if h.Secret != nil {
		return h.Signed(client)
	}
	var raw json.RawMessage
	if err := h.Call(ctx, http.MethodPost, "/im/users/"+client+"/token", map[string]any{"ttl": 3600}, &raw); err != nil {
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

// MaxProfile bounds the time of a profile. The server sends the profile at the end of that time.
const MaxProfile = 5 * time.Second

// KeepProfile writes a CPU profile of the server over d to a file.
func (h *Host) KeepProfile(ctx context.Context, file string, d time.Duration) error {
	at := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", h.Admin, max(1, int(d.Seconds())))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return err
	}
	resp, err := h.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	profile, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return os.WriteFile(file, profile, 0o600)
}
