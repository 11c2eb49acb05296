package online

import (
	"context"
	"encoding/json"
	"errors"
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
	*proc.Piped

	replies *json.Decoder
	clients []string
	first   int // place of the first of them among all clients
}

// newGroup starts the processes for the clients.
func newGroup(r *load.Run, clients []string) (*group, error) {
	g := &group{host: r.Host}
	for first := 0; first < len(clients); first += perProcess {
		child, err := proc.SpawnPiped(r.Self, OnlookerName)
		if err != nil {
			g.end()
			return nil, err
		}
		g.processes = append(g.processes, &process{child, json.NewDecoder(child.Out), clients[first:min(first+perProcess, len(clients))], first})
	}
	return g, nil
}

// each gives all processes orders at the same time and collects the times of their logins.
func (g *group) each(orders func(*process) order) (took []time.Duration, err error) {
	all := make([][]time.Duration, len(g.processes))
	var work errgroup.Group
	for i, p := range g.processes {
		told := orders(p)
		work.Go(func() error {
			if err := json.NewEncoder(p.In).Encode(told); err != nil {
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

func (p *process) explain(err error) error { return p.Explain("a process of clients", err) }

// join has clients log in. at says where client i does; nil: it stays where it is. Without a crowd each process logs
// in a few at a time; with one all come at once, as after the loss of their node.
func (g *group) join(crowd bool, at func(i int) *driver.Host) ([]time.Duration, error) {
	return g.each(func(p *process) order {
		o := order{App: g.host.App, Key: g.host.Key, Crowd: crowd}
		for i, client := range p.clients {
			if node := at(p.first + i); node != nil {
				o.Join = append(o.Join, place{client, node.Addr})
			}
		}
		return o
	})
}

// cpu is what the processes have used.
func (g *group) cpu() (total time.Duration) {
	for _, p := range g.processes {
		spent, _ := proc.CPU(p.Cmd.Process.Pid) // the figure is for information alone
		total += spent
	}
	return total
}

// end ends the processes.
func (g *group) end() {
	for _, p := range g.processes {
		p.End()
	}
}

// interrupt ends the processes when ctx ends, so that nobody waits for them.
func (g *group) interrupt(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		for _, p := range g.processes {
			p.Process.End()
		}
	})
}
