// Command scale computes docs/scale.md: how many machines an installation needs, and which part is full first, from
// what one piece of work was measured to cost. It measures nothing and needs no server.
package main

import (
	"math"
	"math/rand/v2"
	"slices"
)

// costs are what one piece of work costs, in microseconds of CPU unless their names say otherwise.
type costs struct {
	send          float64 // of the nodes: to take a message, commit it, answer it and publish it
	push          float64 // of the nodes: to give a message to one session
	event         float64 // of one node and its NATS server: to receive the event of a message
	database      float64 // of PostgreSQL, a message
	login         float64 // of the nodes
	loginDatabase float64 // of PostgreSQL
	heartbeat     float64 // of a socket, every 25 s

	socketBytes float64 // memory of a socket, of the process and the kernel
	walBytes    float64 // of the write-ahead log, a message
	rowBytes    float64 // on disk, a message with its indexes
	eventBytes  float64 // on the bus
}

// load is what an installation has to do.
type load struct {
	online       float64 // sockets
	messages     float64 // a second
	audience     float64 // sessions that are online and get a message
	loginsPerDay float64 // of each client that is online
}

// machine is one server of the kind that is bought.
type machine struct {
	cores  float64
	memory float64 // bytes for sockets
	use    float64 // part of the CPU that is planned for; the rest is for peaks and the loss of a neighbour
}

const (
	micro   = 1e-6
	day     = 86_400.0
	beating = 25.0 // seconds between two heartbeats
	fewest  = 3.0  // nodes, so that the loss of one costs a third
)

// plan is what an installation needs.
type plan struct {
	nodes, databases float64 // machines; infinite: no number of machines is enough
	bus              float64 // bytes a second that one node receives
	diskPerDay       float64 // bytes of messages
	nodeCores        float64 // that all nodes together use
	databaseCores    float64
}

// need computes the plan. directed: an event goes only to the nodes that have a member of its conversation; otherwise
// every node receives every event.
func need(l load, c costs, m machine, directed bool) plan {
	logins := l.online * l.loginsPerDay / day
	shared := micro * (l.messages*(c.send+l.audience*c.push) + logins*c.login + l.online/beating*c.heartbeat)
	budget := m.cores * m.use
	p := plan{
		diskPerDay:    l.messages * c.rowBytes * day,
		databaseCores: micro * (l.messages*c.database + logins*c.loginDatabase),
	}
	p.databases = math.Ceil(p.databaseCores / budget)
	// A node stores messages in one transaction at a time, which uses one core of PostgreSQL at most.
	committers := math.Ceil(micro * l.messages * c.database / m.use)
	least := max(fewest, committers, math.Ceil(l.online*c.socketBytes/m.memory))
	if directed {
		shared += micro * l.messages * l.audience * c.event // at most one node for each session
		p.nodes, p.nodeCores = max(least, math.Ceil(shared/budget)), shared
		p.bus = l.messages * l.audience * c.eventBytes / p.nodes
		return p
	}
	each := micro * l.messages * c.event // of every node, however many there are
	p.bus = l.messages * c.eventBytes
	if each >= budget {
		p.nodes, p.nodeCores = math.Inf(1), math.Inf(1)
		return p
	}
	p.nodes = max(least, math.Ceil(shared/(budget-each)))
	p.nodeCores = shared + p.nodes*each
	return p
}

// commits simulates the committer of one node. It takes what waits, up to 512
// messages, and is busy for a trip and for the CPU of each message. It answers how long messages wait for their commit,
// in milliseconds. The same seed gives the same result.
func commits(rate, trip, perMessage float64, seed uint64) (p50, p99 float64) {
	const many, most = 60_000, 512
	draw := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // repeatable on purpose
	var arrivals []float64
	for at := 0.0; len(arrivals) < many; {
		at += draw.ExpFloat64() / rate
		arrivals = append(arrivals, at)
	}
	waits := make([]float64, 0, many)
	for next, now := 0, 0.0; next < many; {
		now = max(now, arrivals[next])
		end := next
		for end < many && arrivals[end] <= now && end-next < most {
			end++
		}
		now += trip + perMessage*float64(end-next)
		for _, at := range arrivals[next:end] {
			waits = append(waits, 1000*(now-at))
		}
		next = end
	}
	slices.Sort(waits)
	return waits[many/2], waits[many*99/100]
}
