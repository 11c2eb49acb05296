package driver

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/skein-im/skein/internal/bench/proc"
	"github.com/skein-im/skein/internal/testclient"
)

// StartTenants starts a server with its default limits and makes apps on it, with token
// authentication as every app has it but the demo one. It answers a host for each
// app, in order; the first of them owns the server. handles bounds the files and
// sockets that the server may hold open; zero: as this process.
func StartTenants(ctx context.Context, o Options, handles uint64, ids ...string) ([]*Host, error) {
	first := NewHost()
	if err := first.makeDirectory(o); err != nil {
		return nil, err
	}
	hosts := []*Host{first}
	for range ids[1:] {
		hosts = append(hosts, NewHost())
	}
	for i, id := range ids {
		if err := hosts[i].createApp(ctx, o.Program, first.Data, id); err != nil {
			first.End()
			return nil, err
		}
	}
	if err := first.spawn(ctx, o.Program, handles); err != nil {
		return nil, err
	}
	for _, h := range hosts[1:] {
		h.Addr, h.PID = first.Addr, first.PID
	}
	return hosts, nil
}

// NewHost is a host without an address, an app and a process.
func NewHost() *Host {
	return &Host{http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: SetupConnections}}}
}

// createApp makes an app in the store of a server that does not run yet.
func (h *Host) createApp(ctx context.Context, program, data, id string) error {
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
	h.App, h.Key, h.Secret, h.Token = made.ID, made.Key, []byte(made.Secret), true
	return nil
}

// Configure changes settings of the host's app and waits until a running server has
// heard of them, which takes two seconds at most.
func (h *Host) Configure(ctx context.Context, program, data string, flags ...string) error {
	if _, err := command(ctx, program, append([]string{"app", "update", "--id", h.App, "--data", data}, flags...)...); err != nil {
		return err
	}
	return Wait(ctx, 2*time.Second)
}

func command(ctx context.Context, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // this very program
	cmd.Env = proc.Environment()
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
func (h *Host) spawn(ctx context.Context, program string, handles uint64, more ...string) error {
	h.Addr, h.Admin = freeAddr(), freeAddr()
	args := append([]string{"serve", "--data", h.Data, "--addr", h.Addr, "--admin-addr", h.Admin, "--drain", "0s", "--log-level", "warn"}, more...)
	var err error
	if h.child, err = proc.Spawn(proc.Handling(handles, append([]string{program}, args...)...)...); err != nil {
		h.End()
		return err
	}
	h.PID = h.child.Cmd.Process.Pid
	if err := h.ready(ctx); err != nil {
		err = h.Explain(err)
		h.End()
		return err
	}
	return nil
}

func (h *Host) makeDirectory(o Options) (err error) {
	h.Data, err = os.MkdirTemp(o.Dir, "skein-bench-")
	return err
}

// Signed is a token of the client that holds for an hour.
func (h *Host) Signed(client string) (string, error) {
	now := time.Now()
	return testclient.Token(h.App, client, h.Secret, now, now.Add(time.Hour))
}

// As is the host for REST calls of one client.
func (h *Host) As(client string) (*Host, error) {
	token, err := h.Signed(client)
	return &Host{Addr: h.Addr, PID: h.PID, App: h.App, bearer: token, http: h.http}, err
}
