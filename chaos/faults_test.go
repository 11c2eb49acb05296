package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// fault is one thing that goes wrong at a moment of the round, and for how long.
type fault struct {
	at, lasts time.Duration
	what      string
	device    int           // of a fault of the network
	clock     time.Duration // what the clock is put wrong by
}

func (f fault) String() string {
	return fmt.Sprintf("%v %s device=%d lasts=%v clock=%v", f.at.Round(time.Millisecond), f.what, f.device, f.lasts.Round(time.Millisecond), f.clock)
}

// choice is a fault with how often it is drawn.
type choice struct {
	what     string
	weight   int
	min, max time.Duration // how long it lasts
}

var serverFaults = []choice{
	{"kill", 40, 0, 600 * time.Millisecond},
	{"pause", 25, 300 * time.Millisecond, 5 * time.Second},
	{"term", 12, 0, 300 * time.Millisecond},
	{"clock", 23, 0, 0},
}

var networkFaults = []choice{
	{"cut", 34, 0, 0},
	{"trap", 24, 0, 0},
	{"delay", 14, time.Second, 4 * time.Second},
	{"slow", 6, time.Second, 4 * time.Second},
	{"deaf-up", 5, 500 * time.Millisecond, 5 * time.Second},
	{"deaf-down", 6, 500 * time.Millisecond, 5 * time.Second},
	{"deaf", 4, 500 * time.Millisecond, 5 * time.Second},
	{"away", 5, time.Second, 6 * time.Second},
	{"reinstall", 2, 0, 0},
}

// clockJumps are what the server's clock is put wrong by; each is as far from the
// true time, so that it runs forward and back.
var clockJumps = []time.Duration{
	0, 90 * time.Second, -90 * time.Second, 10 * time.Minute, -10 * time.Minute,
	3 * time.Hour, -3 * time.Hour, 30 * time.Hour, -30 * time.Hour,
}

// plan draws what goes wrong in a round of a length. The two lists are in order of
// time and run beside each other.
func plan(rng *rand.Rand, of []choice, length time.Duration, devices int) (server, network []fault) {
	for at := within(rng, time.Second, 2*time.Second); at < length; at += within(rng, time.Second, 4*time.Second) {
		f := draw(rng, of)
		f.at, f.clock = at, clockJumps[rng.IntN(len(clockJumps))]
		if f.what != "clock" {
			f.clock = 0
		}
		server = append(server, f)
		at += f.lasts
	}
	for at := within(rng, 200*time.Millisecond, time.Second); at < length; at += within(rng, 80*time.Millisecond, 400*time.Millisecond) {
		f := draw(rng, networkFaults)
		f.at, f.device = at, rng.IntN(devices)
		network = append(network, f)
	}
	return server, network
}

func within(rng *rand.Rand, low, high time.Duration) time.Duration {
	if high <= low {
		return low
	}
	return low + time.Duration(rng.Int64N(int64(high-low)))
}

func draw(rng *rand.Rand, from []choice) fault {
	total := 0
	for _, c := range from {
		total += c.weight
	}
	n := rng.IntN(total)
	for _, c := range from {
		if n -= c.weight; n < 0 {
			return fault{what: c.what, lasts: within(rng, c.min, c.max)}
		}
	}
	panic("no weights")
}

// runPlan does one list of faults in its time. An error is the server's: it did not
// end well, or did not start again.
func runPlan(ctx context.Context, faults []fault, do func(context.Context, fault) error) error {
	began := time.Now()
	for _, f := range faults {
		if !pause(ctx, time.Until(began.Add(f.at))) {
			return nil
		}
		if err := do(ctx, f); err != nil {
			return fmt.Errorf("%v: %w", f, err)
		}
	}
	return nil
}

// strikeSystem does a fault of the server, or of the nodes, and waits for its end.
func (r *round) strikeSystem(ctx context.Context, f fault) error {
	r.history.add(event{Kind: kindFault, Text: f.String()})
	return r.system.strike(ctx, f)
}

// strikeNetwork does a fault of one device's network; what lasts ends by itself.
func (r *round) strikeNetwork(ctx context.Context, f fault) error {
	d := r.devices[f.device]
	d.note(event{Kind: kindFault, Text: f.String()})
	switch f.what {
	case "cut":
		d.link.cut()
		return nil
	case "reinstall":
		d.reinstall()
		return nil
	case "trap":
		d.link.set(weather{trap: true})
		return nil
	case "away":
		d.setAway(true)
	case "delay":
		d.link.set(weather{delay: 150 * time.Millisecond})
	case "slow":
		d.link.set(weather{slow: true})
	case "deaf-up":
		d.link.set(weather{deafUp: true})
	case "deaf-down":
		d.link.set(weather{deafDown: true})
	case "deaf":
		d.link.set(weather{deafUp: true, deafDown: true})
	}
	r.ending.Go(func() {
		pause(ctx, f.lasts)
		d.calm()
	})
	return nil
}

// calm ends what is wrong with a device and its network. A connection that has
// swallowed something stays as it is until the device takes it for dead.
func (d *device) calm() {
	d.link.set(weather{})
	d.setAway(false)
}
