package load

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/bench/report"
)

// Options say what to run, on what, and for how long.
type Options struct {
	driver.Options

	Setups      []int         // numbers of nodes: each scenario runs on each, see driver.Options.Nodes; none: on one server with an embedded store
	Scenarios   []string      // names of scenarios; none: all
	Phase       time.Duration // how long each takes; zero: the scenario's own
	Count       int           // units of work of each phase, instead of Phase; zero: as many as fit
	Clients     int           // of each scenario; zero: the scenario's own, which the targets are for
	Attacks     []string      // names of attacks of the scenario neighbours; none: all
	Seed        uint64        // of everything random
	NoClientIDs bool          // messages without client_msg_id
	Profile     string        // file for CPU profiles of the server; empty: none
	Version     string        // of this binary
	Commit      string        // likewise
	Now         func() time.Time
	Limit       time.Duration // of one scenario; zero: maxScenario
	Patience    time.Duration // for what must come; zero: maxPatience
}

// MaxScenario bounds a scenario, so that it ends whatever the server does.
const MaxScenario = 5 * time.Minute

// Draw returns a source of random numbers of its own, which depends on the seed alone.
func (r *Run) Draw() *rand.Rand {
	return rand.New(rand.NewPCG(r.rng.Uint64(), r.rng.Uint64())) //nolint:gosec // repeatable on purpose
}

// Run is a scenario at play.
type Run struct {
	Options

	scenario string // its name
	out      io.Writer
	Host     *driver.Host
	rng      *rand.Rand // owned by the goroutine that plays
	Tag      string     // begins the client ids of this run
	made     made
	Results  []report.Result
}

// New begins a run of a scenario. tag begins the ids of its clients, and stream tells its random
// numbers apart from those of other processes with the same seed.
func New(o Options, scenario string, out io.Writer, tag string, stream uint64) *Run {
	return &Run{Options: o, scenario: scenario, out: out, rng: rand.New(rand.NewPCG(o.Seed, stream)), Tag: tag} //nolint:gosec // repeatable on purpose
}

// Report records the result of one phase and prints it.
func (r *Run) Report(name, about string, values []report.Value, checked string, faults *ledger.Faults) error {
	result := report.Result{
		Scenario: r.scenario, Phase: name, Setup: setupOf(r.Options), About: about,
		Values: values, Checked: checked, Faults: faults.List(),
	}
	r.Results = append(r.Results, result)
	return result.Table(r.out)
}

// setupOf names the server where several kinds are compared.
func setupOf(o Options) string {
	switch {
	case len(o.Setups) == 0:
		return ""
	case o.Nodes == 0:
		return "embedded"
	case o.Nodes == 1:
		return "1 node"
	default:
		return fmt.Sprintf("%d nodes", o.Nodes)
	}
}

// ClientsOr is how many clients the scenario has; usual: unless the options say otherwise.
func (r *Run) ClientsOr(usual int) int {
	if r.Clients > 0 {
		return r.Clients
	}
	return usual
}

// ForTheUsual returns the target, or nil if the number of clients is not the scenario's own or the server has
// PostgreSQL: the targets are for the embedded store.
func (r *Run) ForTheUsual(t *report.Target) *report.Target {
	if r.Clients > 0 || r.Nodes > 0 {
		return nil
	}
	return t
}

// Lasting is how long a phase takes; usual: unless the options say otherwise.
func (r *Run) Lasting(usual time.Duration) time.Duration {
	if r.Phase > 0 {
		return r.Phase
	}
	return usual
}

// Quota starts the work of a phase.
func (r *Run) Quota(usual time.Duration) *Quota {
	if r.Count > 0 {
		return NewQuota(r.Count, r.Limit)
	}
	return NewQuota(0, r.Lasting(usual))
}

// made lists what a run has created on a server, so that it can be deleted from a target.
type made struct {
	mu            sync.Mutex
	users         []string
	conversations []string
}

// Users registers n clients.
func (r *Run) Users(ctx context.Context, prefix string, n int) ([]string, error) {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = r.Tag + prefix + strconv.Itoa(i)
	}
	r.made.mu.Lock()
	r.made.users = append(r.made.users, ids...)
	r.made.mu.Unlock()
	return ids, driver.Parallel(ctx, n, driver.SetupConnections, func(ctx context.Context, i int) error {
		return r.Host.Call(ctx, http.MethodPost, "/im/users", map[string]any{"client_id": ids[i]}, nil)
	})
}

// Conversation types.
const (
	TypePair  = 1
	TypeGroup = 3
	TypeRoom  = 4
)

// PerCall is how many members a call may name.
const PerCall = 500

// Conversation makes one of the clients; the first is its creator. Safe for
// concurrent use.
func (r *Run) Conversation(ctx context.Context, convType int, clients []string) (id string, err error) {
	first := min(len(clients), PerCall)
	var answer struct {
		ConvID string `json:"conv_id"`
	}
	err = r.Host.Call(ctx, http.MethodPost, "/im/conversations",
		map[string]any{"client_id": clients[0], "to_client_ids": clients[1:first], "conv_type": convType}, &answer)
	if err != nil {
		return "", err
	}
	r.made.mu.Lock()
	r.made.conversations = append(r.made.conversations, answer.ConvID)
	r.made.mu.Unlock()
	for at := first; at < len(clients); at += PerCall {
		more := clients[at:min(at+PerCall, len(clients))]
		if err := r.Host.Call(ctx, http.MethodPost, "/im/conversations/"+answer.ConvID+"/members", map[string]any{"client_ids": more}, nil); err != nil {
			return "", err
		}
	}
	return answer.ConvID, nil
}

// CleanUp deletes from a target what the run has created. It ignores errors, because the results
// matter more.
func (r *Run) CleanUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	remove := func(prefix string, ids []string) {
		_ = driver.Parallel(ctx, len(ids), driver.SetupConnections, func(ctx context.Context, i int) error {
			_ = r.Host.Call(ctx, http.MethodDelete, prefix+ids[i], nil, nil)
			return nil
		})
	}
	remove("/im/conversations/", r.made.conversations)
	remove("/im/users/", r.made.users)
}

// Stored holds the histories of the conversations against what was answered.
func (r *Run) Stored(ctx context.Context, convs []*ledger.Conversation) error {
	return driver.Parallel(ctx, len(convs), driver.SetupConnections, func(ctx context.Context, i int) error {
		entries, err := r.Host.History(ctx, convs[i].ID(), convs[i].From())
		if err == nil {
			convs[i].Stored(entries)
		}
		return err
	})
}

// letters are what texts are padded with; the seed decides which.
const letters = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// Padding is drawn once a run.
func (r *Run) Padding() string {
	b := make([]byte, driver.TextBytes)
	for i := range b {
		b[i] = letters[r.rng.IntN(len(letters))]
	}
	return string(b)
}

// Pace lets the speakers without a window send at a fixed rate.
func (r *Run) Pace(ctx context.Context, h *driver.Host, c *Crowd, name string, d, interval time.Duration) (Spoken, error) {
	var speakers []*member
	for _, m := range c.members {
		if m.speaks {
			speakers = append(speakers, m)
		}
	}
	return r.observe(ctx, h, c, name, d, func(q *Quota) error {
		return c.pace(ctx, q, speakers, interval)
	})
}

// On is this run as one app of a server.
func (r *Run) On(h *driver.Host, tag string) *Run {
	return &Run{Options: r.Options, scenario: r.scenario, out: r.out, Host: h, rng: r.rng, Tag: tag}
}
