package online

import (
	"context"
	"fmt"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/bench/load"
	"github.com/skein-im/skein/internal/bench/report"
)

const (
	usual    = 50_000           // clients
	messages = 20               // to all of them, in each phase
	atOnce   = 16               // logins of one process under way
	patience = 2 * time.Minute  // for the last client
	settling = 25 * time.Second // without calls before memory is read, in which each socket is pinged once
)

// scenario is the scenario at play.
type scenario struct {
	*load.Run

	group   *group
	clients []string
	body    driver.Body
	sender  *driver.Socket
	sent    int64
}

// Run plays the scenario.
func Run(ctx context.Context, r *load.Run) error {
	clients, err := r.Users(ctx, "o", max(2, r.ClientsOr(usual)))
	if err != nil {
		return err
	}
	conv, err := r.Conversation(ctx, load.TypeGroup, clients)
	if err != nil {
		return err
	}
	g, err := newGroup(r, clients[1:])
	if err != nil {
		return err
	}
	defer g.end()
	defer g.interrupt(ctx)()
	s := &scenario{Run: r, group: g, clients: clients}
	s.body = r.Body(ledger.NewConversation(conv, 0, &g.faults), r.Padding())
	return s.play(ctx)
}

func (s *scenario) play(ctx context.Context) (err error) {
	before, err := s.memory(ctx)
	if err != nil {
		return err
	}
	q := load.NewQuiet()
	defer q.End()
	if s.sender, err = q.Join(ctx, s.Host, s.clients[0]); err != nil {
		return err
	}
	all := len(s.clients) - 1
	if err := s.arrive(ctx, "arrival", "log in", all, nil, before); err != nil {
		return err
	}
	if err := s.tell(ctx, "message to all"); err != nil {
		return err
	}
	if s.Host.Nodes() < 2 {
		return nil
	}
	last := s.Host.Node(s.Host.Nodes() - 1)
	lost := 0
	for i := range all {
		if s.Host.At(i) == last {
			lost++
		}
	}
	last.Kill()
	if _, err := s.group.each(func(p *process) order {
		n := 0
		for i := range p.clients {
			if s.Host.At(p.first+i) == last {
				n++
			}
		}
		return order{Lost: n}
	}); err != nil {
		return err
	}
	if err := s.arrive(ctx, "loss of a node", "were on the node that was killed, and log in on the others", lost, last, 0); err != nil {
		return err
	}
	s.Host.Forget(last)
	return s.tell(ctx, "message to all, after the loss")
}

// memory is the server's after a time without calls.
func (s *scenario) memory(ctx context.Context) (int64, error) {
	if !s.Host.Known() {
		return 0, nil
	}
	if err := driver.Wait(ctx, s.Lasting(settling)); err != nil {
		return 0, err
	}
	return s.Host.Memory(ctx)
}

// arrive logs in n clients, all of them or those of a node that was lost, and reports what that cost. before is the
// server's memory without them; zero: it is not reported.
func (s *scenario) arrive(ctx context.Context, phase, what string, n int, of *driver.Host, before int64) error {
	var times []time.Duration
	own := s.group.cpu()
	m, err := s.Measure(ctx, s.Host, phase, driver.MaxProfile, func() (err error) {
		if of == nil {
			times, err = s.group.join(false, s.Host.At)
			return err
		}
		rest, moved := s.Host.Nodes()-1, 0
		times, err = s.group.join(true, func(i int) *driver.Host {
			if s.Host.At(i) != of {
				return nil
			}
			moved++
			return s.Host.Node(moved % rest)
		})
		return err
	})
	if err != nil {
		return err
	}
	own = s.group.cpu() - own
	took := load.NewLatencies()
	for _, d := range times {
		took.Record(d)
	}
	values := m.Values("login", "logins", int64(n), nil, nil)
	values = append(load.WithoutGenerator(values), took.Values("connect and login", nil)...)
	values = append(values,
		report.Value{Name: "time until the last is logged in", Value: m.Took.Seconds(), Unit: "s"},
		report.Value{Name: "logins that were tried again", Value: float64(s.group.repeated.Swap(0))},
		report.Value{Name: "generator CPU a login", Value: load.Micros(own) / float64(n), Unit: "µs"})
	if before > 0 {
		after, err := s.memory(ctx)
		if err != nil {
			return err
		}
		values = append(values, report.Value{Name: "server memory (RSS) a socket", Value: float64(after-before) / float64(n), Unit: "B"})
	}
	pace := "all at once"
	if of == nil {
		pace = fmt.Sprintf("%d at a time", atOnce*len(s.group.processes))
	}
	about := fmt.Sprintf("%d of %d members of a group %s, %s", n, len(s.clients), what, pace)
	return s.Report(phase, about, values, fmt.Sprintf("each of %d logins was answered", len(times)), &s.group.faults)
}

// tell sends messages, each when all others have the one before, and reports what a message costs.
func (s *scenario) tell(ctx context.Context, phase string) error {
	took, others := load.NewLatencies(), int64(len(s.clients)-1)
	own := s.group.cpu()
	m, err := s.Measure(ctx, s.Host, phase, driver.MaxProfile, func() error {
		for range messages {
			start := time.Now()
			if err := s.sender.Send(s.body.AppendCommand(nil, 0, uint32(s.sent))); err != nil {
				return err
			}
			s.sent++
			if _, err := s.group.each(func(*process) order { return order{Until: s.sent} }); err != nil {
				return err
			}
			took.Record(time.Since(start))
		}
		return nil
	})
	if err != nil {
		return err
	}
	own = s.group.cpu() - own
	values := load.WithoutGenerator(m.Values("delivery", "deliveries", messages*others, nil, nil))
	if m.Known {
		values = append([]report.Value{{Name: "server CPU a message", Value: load.Micros(m.Used.CPU()) / 1000 / messages, Unit: "ms"}}, values...)
	}
	values = append(values, report.Value{Name: "generator CPU a delivery", Value: load.Micros(own) / float64(messages*others), Unit: "µs"})
	values = append(values, took.Values("until the last has it", nil)...)
	about := fmt.Sprintf("%d messages into a group of %d who are all online, one after the other", messages, len(s.clients))
	return s.Report(phase, about, values, fmt.Sprintf("each of %d others got each message once and in order", others), &s.group.faults)
}
