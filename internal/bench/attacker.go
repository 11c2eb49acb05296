package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
)

// An attack is played by a process of its own at the lowest priority, so that it does
// not take the cores from the server and from the app that is measured: what suffers
// then suffers from what the server does. The two processes talk over the attacker's
// stdin and stdout: a line with the order, "ready", "go", "stop", a line with the toll.

// AttackerName in the place of scenarios plays an attack; only the bench itself says it.
const AttackerName = "attacker"

// order is what an attacker is told.
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

// elsewhere is the first socket of an attacker, so that it comes from addresses of its
// own; see sourceOf.
const elsewhere = 1 << 20

// toll is what came of the calls of an attack.
type toll struct {
	Answered int64 `json:"answered"`
	Refused  int64 `json:"refused"`
}

// Attacker prepares the attack that in orders, plays it from "go" to "stop", and says
// on out what came of its calls.
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
		return nil // the bench has ended before it began
	}
	stop := l.launch(ctx, f)
	_, _ = lines.ReadBytes('\n') // a bench that is gone has stopped it too
	stop()
	return json.NewEncoder(out).Encode(toll{Answered: l.answered.Load(), Refused: l.refused.Load()})
}

func (o order) loud() *loud {
	h := newHost()
	h.addr, h.app, h.key, h.secret, h.token = o.Addr, o.App, o.Key, o.Secret, true
	h.from.dialed.Store(elsewhere)
	r := &run{
		Options: Options{Clients: o.Clients, Program: o.Program, limit: maxScenario, patience: maxPatience},
		host:    h, rng: rand.New(rand.NewPCG(o.Seed, 1)), tag: "l", //nolint:gosec // repeatable on purpose
	}
	return &loud{run: r, data: o.Data}
}

// attacker is the process that plays an attack.
type attacker struct {
	child *child
	in    *os.File
	out   *bufio.Reader
	pipe  *os.File // that out reads
}

// ready starts a process for the attack on a server and waits until it has prepared it.
func (r *run) ready(a attack, server, loud *host) (*attacker, error) {
	in, tell, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }() // the child has its own
	hear, out, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, tell.Close())
	}
	defer func() { _ = out.Close() }() // likewise
	t := &attacker{in: tell, out: bufio.NewReader(hear), pipe: hear}
	if t.child, err = spawn(in, out, lowest(r.Self, AttackerName)...); err != nil {
		return nil, errors.Join(err, tell.Close(), hear.Close())
	}
	o := order{
		Attack: a.name, Addr: server.addr, App: loud.app, Key: loud.key, Secret: loud.secret,
		Data: server.data, Program: r.Program, Clients: r.Clients, Seed: r.Seed,
	}
	if err := json.NewEncoder(t.in).Encode(o); err != nil { //nolint:gosec // of an app that lives as long as the run
		return t, t.explain(err)
	}
	if said, err := t.out.ReadString('\n'); err != nil || said != "ready\n" {
		return t, t.explain(fmt.Errorf("it says %q: %w", said, err))
	}
	return t, nil
}

func (t *attacker) attack() error {
	_, err := fmt.Fprintln(t.in, "go")
	return err
}

// stop ends the attack and says what came of it.
func (t *attacker) stop() (made toll, err error) {
	if _, err = fmt.Fprintln(t.in, "stop"); err == nil {
		err = json.NewDecoder(t.out).Decode(&made)
	}
	if err != nil {
		err = t.explain(err)
	}
	return made, err
}

func (t *attacker) end() {
	t.child.end()
	_, _ = t.in.Close(), t.pipe.Close() // nothing is said any more
}

func (t *attacker) explain(err error) error {
	return fmt.Errorf("the attacker: %w\n%s", err, t.child.log)
}

// lowest is a command at the lowest priority, where the system has a program for that.
func lowest(command ...string) []string {
	if nice, err := exec.LookPath("nice"); err == nil {
		return append([]string{nice, "-n", "19"}, command...)
	}
	return command
}

// handling is a command that may hold n files and sockets open; zero: as many as this
// process. The bound is there before the command begins, as it asks for it then.
func handling(n uint64, command ...string) []string {
	if n == 0 {
		return command
	}
	return append([]string{"sh", "-c", `ulimit -n "$0" && exec "$@"`, fmt.Sprint(n)}, command...)
}
