package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/skein-im/skein/internal/testclient"
)

// tenants starts a server with its default limits and makes apps on it, with token
// authentication as every app has it but the demo one. It answers a host for each
// app, in order; the first of them owns the server. handles bounds the files and
// sockets that the server may hold open; zero: as this process.
func tenants(ctx context.Context, o Options, handles uint64, ids ...string) ([]*host, error) {
	first := newHost()
	if err := first.makeDirectory(o); err != nil {
		return nil, err
	}
	hosts := []*host{first}
	for range ids[1:] {
		hosts = append(hosts, newHost())
	}
	for i, id := range ids {
		if err := hosts[i].createApp(ctx, o.Program, first.data, id); err != nil {
			first.end()
			return nil, err
		}
	}
	if err := first.spawn(ctx, o.Program, handles); err != nil {
		return nil, err
	}
	for _, h := range hosts[1:] {
		h.addr, h.pid = first.addr, first.pid
	}
	return hosts, nil
}

func newHost() *host {
	return &host{http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: setupConnections}}}
}

// createApp makes an app in the store of a server that does not run yet.
func (h *host) createApp(ctx context.Context, program, data, id string) error {
	out, err := command(ctx, program, "app", "create", "--id", id, "--data", data, "--json")
	if err != nil {
		return err
	}
	var made struct {
		ID     string `json:"app_id"`
		Key    string `json:"app_key"`
		Secret string `json:"token_secret"`
	}
	if err := json.Unmarshal(out, &made); err != nil {
		return fmt.Errorf("app create: %w in %s", err, out)
	}
	h.app, h.key, h.secret, h.token = made.ID, made.Key, []byte(made.Secret), true
	return nil
}

// configure changes settings of the host's app and waits until a running server has
// heard of them, which takes two seconds at most.
func (h *host) configure(ctx context.Context, program, data string, flags ...string) error {
	if _, err := command(ctx, program, append([]string{"app", "update", "--id", h.app, "--data", data}, flags...)...); err != nil {
		return err
	}
	return wait(ctx, 2*time.Second)
}

func command(ctx context.Context, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // this very program
	cmd.Env = environment()
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", program, args[0], err, stderrOf(err))
	}
	return out, nil
}

func stderrOf(err error) []byte {
	if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // Output does not wrap
		return exit.Stderr
	}
	return nil
}

// spawn starts the server on the host's data and waits until it is ready.
func (h *host) spawn(ctx context.Context, program string, handles uint64, more ...string) error {
	h.addr, h.admin = freeAddr(), freeAddr()
	args := append([]string{"serve", "--data", h.data, "--addr", h.addr, "--admin-addr", h.admin, "--drain", "0s", "--log-level", "warn"}, more...)
	var err error
	if h.child, err = spawn(nil, nil, handling(handles, append([]string{program}, args...)...)...); err != nil {
		h.end()
		return err
	}
	h.pid = h.child.cmd.Process.Pid
	if err := h.ready(ctx); err != nil {
		err = h.explain(err)
		h.end()
		return err
	}
	return nil
}

func (h *host) makeDirectory(o Options) (err error) {
	h.data, err = os.MkdirTemp(o.Dir, "skein-bench-")
	return err
}

// signed is a token of the client that holds for an hour.
func (h *host) signed(client string) (string, error) {
	now := time.Now()
	return testclient.Token(h.app, client, h.secret, now, now.Add(time.Hour))
}

// as is the host for REST calls of one client.
func (h *host) as(client string) (*host, error) {
	token, err := h.signed(client)
	return &host{addr: h.addr, pid: h.pid, app: h.app, bearer: token, http: h.http}, err
}
