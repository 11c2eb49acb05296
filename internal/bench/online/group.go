package online

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/bench/load"
	"github.com/skein-im/skein/internal/bench/proc"
)

// perProcess is how many clients a process holds: a usual limit of open files is 20,000.
const perProcess = 15_000

// group is the clients of the group in their processes.
type group struct {
	host      *driver.Host
	processes []*process
	faults    ledger.Faults
	repeated  atomic.Int64 // logins that were tried again
}

// process is a process of clients.
type process struct {
	child    *proc.Process
	in, pipe *os.File
	replies  *json.Decoder
	clients  []string
	first    int // place of the first of them among all clients
}

// newGroup starts the processes for the clients.
func newGroup(r *load.Run, clients []string) (*group, error) {
	g := &group{host: r.Host}
	for first := 0; first < len(clients); first += perProcess {
		p, err := startProcess(r.Self)
		if err != nil {
			g.end()
			return nil, err
		}
		p.clients, p.first = clients[first:min(first+perProcess, len(clients))], first
		g.processes = append(g.processes, p)
	}
	return g, nil
}

func startProcess(program string) (*process, error) {
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
	child, err := proc.Spawn(in, out, program, OnlookerName)
	if err != nil {
		return nil, errors.Join(err, tell.Close(), hear.Close())
	}
	return &process{child: child, in: tell, pipe: hear, replies: json.NewDecoder(hear)}, nil
}

// each gives all processes orders at the same time and collects the times of their logins.
func (g *group) each(orders func(*process) order) (took []time.Duration, err error) {
	all := make([][]time.Duration, len(g.processes))
	var work errgroup.Group
	for i, p := range g.processes {
		told := orders(p)
		work.Go(func() error {
			if err := json.NewEncoder(p.in).Encode(told); err != nil {
				return p.explain(err)
			}
			var r reply
			if err := p.replies.Decode(&r); err != nil {
				return p.explain(err)
			}
			for _, fault := range r.Faults {
				g.faults.Addf("%s", fault)
			}
			all[i] = r.Took
			g.repeated.Add(r.Repeated)
			if r.Error != "" {
				return errors.New(r.Error)
			}
			return nil
		})
	}
	err = work.Wait()
	for _, some := range all {
		took = append(took, some...)
	}
	return took, err
}

func (p *process) explain(err error) error {
	return fmt.Errorf("a process of clients: %w\n%s", err, p.child.Log)
}

// join logs in the clients whose nodes are chosen.
func (g *group) join(nodes map[*driver.Host]bool, at func(i int) *driver.Host) ([]time.Duration, error) {
	return g.each(func(p *process) order {
		o := order{App: g.host.App, Key: g.host.Key}
		for i, client := range p.clients {
			if nodes == nil || nodes[g.host.At(p.first+i)] {
				o.Join = append(o.Join, place{client, at(p.first + i).Addr})
			}
		}
		return o
	})
}

// cpu is what the processes have used.
func (g *group) cpu() (total time.Duration) {
	for _, p := range g.processes {
		spent, _ := proc.CPU(p.child.Cmd.Process.Pid) // the figure is for information alone
		total += spent
	}
	return total
}

// end ends the processes.
func (g *group) end() {
	for _, p := range g.processes {
		p.child.End()
		_, _ = p.in.Close(), p.pipe.Close() // both sides are done
	}
}

// interrupt ends the processes when ctx ends, so that nobody waits for them.
func (g *group) interrupt(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		for _, p := range g.processes {
			p.child.End()
		}
	})
}
