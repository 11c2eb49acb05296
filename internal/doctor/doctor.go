// Package doctor looks for what would keep an installation from its promises, and says what to do about it. It
// reads and changes nothing but a file of its own among the uploads.
package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/skein-im/skein/internal/bus/natsbus"
	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/store/postgres/facts"
)

// Level is how bad a finding is.
type Level string

// The levels.
const (
	OK   Level = "ok"
	Warn Level = "warn" // a promise may be broken later, or is broken for somebody else
	Fail Level = "fail" // a promise is broken now, or a server does not start
)

// Finding is the result of one check.
type Finding struct {
	Check string `json:"check"`
	Level Level  `json:"level"`
	Saw   string `json:"saw"`
	Do    string `json:"do,omitempty"` // empty: nothing is to be done
}

// Limit bounds the checks that wait for another machine.
const Limit = 20 * time.Second

// Examine runs all checks that suit the settings of a server.
func Examine(ctx context.Context, c config.Serve) []Finding {
	ctx, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	var e examination
	e.flags(c)
	if c.OnPostgres() {
		f, err := facts.Read(ctx, c.Database)
		if err != nil {
			e.add("database", Fail, err.Error(), "check --database, and that the server runs and lets this machine in")
		} else {
			e.clock = note{f.Clock, time.Now().UTC().Truncate(time.Second)}
			e.database(f)
		}
	} else {
		e.embedded(ctx, c.Data)
	}
	if e.current {
		e.audit(ctx, c.Store)
		e.secrets(ctx, c.Store)
	}
	e.bus(ctx, c)
	e.certificates(c, time.Now())
	e.machine(c)
	e.confined(confinesOf(c.Data), c)
	e.uploads(ctx, c)
	return e.found
}

// examination gathers findings.
type examination struct {
	found   []Finding
	clock   note // of this machine; zero: no database was asked
	current bool // the store is there with the newest schema, so that opening it changes nothing
}

func (e *examination) add(check string, l Level, saw, do string) {
	if l == OK {
		do = ""
	}
	e.found = append(e.found, Finding{check, l, saw, do})
}

// judge adds a finding that is fine, or else one of that level.
func (e *examination) judge(check string, fine bool, l Level, saw, do string) {
	if fine {
		l = OK
	}
	e.add(check, l, saw, do)
}

// flags checks the settings against each other.
func (e *examination) flags(c config.Serve) {
	if err := c.Validate(); err != nil {
		e.add("settings", Fail, err.Error(), "correct them: skein serve does not start")
		return
	}
	e.judge("settings", !c.SeveralNodes() || c.OnPostgres(), Fail, "no contradiction", "a bus needs --database: the embedded store serves one node")
	if c.OnPostgres() && !c.SeveralNodes() {
		e.add("settings: bus", Warn, "--database without --bus", "fine for one node; several need a bus to tell each other what happened")
	}
}

// bus checks that the bus answers.
func (e *examination) bus(ctx context.Context, c config.Serve) {
	b, err := c.BusOf()
	if err != nil || !b.Several() {
		return
	}
	if b.Listen != "" {
		for _, peer := range b.Peers {
			version, err := natsbus.ProbePeer(ctx, peer, b.Token)
			if err != nil {
				e.add("bus "+peer, Warn, err.Error(), "start that node, or let this machine reach its port")
				continue
			}
			e.add("bus "+peer, OK, "the node there answers, embedded NATS "+version, "")
		}
		return
	}
	for _, server := range b.Servers {
		version, trip, err := natsbus.Probe(ctx, natsbus.Options{Servers: []string{server}, User: b.User, Password: b.Password, Prefix: b.Prefix, Name: "doctor"})
		if err != nil {
			e.add("bus "+server, Fail, err.Error(), "check --bus, and that the server runs and lets this machine in")
			continue
		}
		e.judge("bus "+server, trip < slowTrip, Warn, fmt.Sprintf("NATS %s, a message comes back after %v", version, trip.Round(time.Microsecond)), "put the nodes and NATS into one network")
	}
}

// slowTrip is a round trip that makes every send of a client slow.
const slowTrip = 20 * time.Millisecond

// Failed reports whether a finding is a failure.
func Failed(all []Finding) bool {
	for _, f := range all {
		if f.Level == Fail {
			return true
		}
	}
	return false
}
