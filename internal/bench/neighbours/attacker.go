package neighbours

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/load"
	"github.com/skein-im/skein/internal/bench/proc"
)

// An attack runs in a process of its own at the lowest priority, so that it does not take the
// cores from the server and from the app that is measured. The two processes talk over the
// attacker's stdin and stdout: a line with the order, "ready", "go", "stop", a line with the
// result.

// AttackerName in place of a scenario makes skein-bench an attacker. Only skein-bench itself uses
// it.
const AttackerName = "attacker"

// order says what an attacker has to do.
type order struct {
	Attack  string `json:"attack"`
	Addr    string `json:"addr"`
	App     string `json:"app"`
	Key     string `json:"key"`
	Secret  []byte `json:"secret"`
	Data    string `json:"data"` // directory of the server
	Program string `json:"program"`
	Clients int    `json:"clients"`
	Seed    uint64 `json:"seed"`
}

// elsewhere is the number of an attacker's first socket, so that the attacker has addresses of its
// own; see package driver, source.go.
const elsewhere = 1 << 20

// toll counts the calls of an attack by their result.
type toll struct {
	Answered int64 `json:"answered"`
	Refused  int64 `json:"refused"`
}

// Attacker reads an order from in, prepares its attack, and runs it from "go" to "stop". It writes
// the result of the calls to out.
func Attacker(ctx context.Context, in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	said, err := lines.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("no order: %w", err)
	}
	var o order
	if err := json.Unmarshal(said, &o); err != nil {
		return fmt.Errorf("order: %w", err)
	}
	chosen, err := chooseAttacks([]string{o.Attack})
	if err != nil {
		return err
	}
	l := o.loud()
	defer l.close()
	f, err := chosen[0].prepare(ctx, l)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	if _, err := fmt.Fprintln(out, "ready"); err != nil {
		return err
	}
	if _, err := lines.ReadBytes('\n'); err != nil {
		return nil // skein-bench has ended
	}
	stop := l.launch(ctx, f)
	_, _ = lines.ReadBytes('\n') // fails if skein-bench has ended, which stops the attack too
	stop()
	return json.NewEncoder(out).Encode(toll{Answered: l.answered.Load(), Refused: l.refused.Load()})
}

func (o order) loud() *loud {
	h := driver.NewHost()
	h.Addr, h.App, h.Key, h.Secret, h.Token = o.Addr, o.App, o.Key, o.Secret, true
	h.From.Dialed.Store(elsewhere)
	r := load.New(load.Options{
		Options: driver.Options{Program: o.Program}, Clients: o.Clients, Seed: o.Seed, Limit: load.MaxScenario, Patience: driver.MaxPatience,
	}, "", io.Discard, "l", 1)
	r.Host = h
	return &loud{Run: r, data: o.Data}
}

// attacker is the process that plays an attack.
type attacker struct{ *proc.Piped }

// ready starts a process for the attack on a server and waits until the attack is prepared.
func ready(r *load.Run, a attack, server, loud *driver.Host) (*attacker, error) {
	child, err := proc.SpawnPiped(proc.Lowest(r.Self, AttackerName)...)
	if err != nil {
		return nil, err
	}
	t := &attacker{child}
	o := order{
		Attack: a.name, Addr: server.Addr, App: loud.App, Key: loud.Key, Secret: loud.Secret,
		Data: server.Data, Program: r.Program, Clients: r.Clients, Seed: r.Seed,
	}
	if err := json.NewEncoder(t.In).Encode(o); err != nil { //nolint:gosec // of an app that lives as long as the run
		return t, t.explain(err)
	}
	if said, err := t.Out.ReadString('\n'); err != nil || said != "ready\n" {
		return t, t.explain(fmt.Errorf("it says %q: %w", said, err))
	}
	return t, nil
}

func (t *attacker) attack() error {
	_, err := fmt.Fprintln(t.In, "go")
	return err
}

// stop ends the attack and returns its result.
func (t *attacker) stop() (made toll, err error) {
	if _, err = fmt.Fprintln(t.In, "stop"); err == nil {
		err = json.NewDecoder(t.Out).Decode(&made)
	}
	if err != nil {
		err = t.explain(err)
	}
	return made, err
}

func (t *attacker) explain(err error) error { return t.Explain("the attacker", err) }
