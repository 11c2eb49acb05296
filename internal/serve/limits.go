package serve

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/clock"
	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/edge"
	"github.com/skein-im/skein/internal/rest"
	"github.com/skein-im/skein/internal/share"
)

// handles divides the file descriptors that the process may open, so that it never runs out
// of them. The store, uploads and downloads have a part of their own, and sockets leave a
// part of the connections to REST.
type handles struct {
	connections     int // including sockets
	sockets         int
	unauthenticated int // sockets that are not logged in
	uploads         int
	downloads       int
}

// unbounded means no bound in options whose zero is a default.
const unbounded = -1

const (
	maxOwn  = 2048 // a quarter for uploads, half for downloads; the rest for the store, logs, and connections that are accepted only to be refused
	maxREST = 1024 // connections that sockets leave to REST; those of an address that wait for a call give way to new ones
)

// divide divides a limit of open files; zero means that the limit is unknown.
func divide(limit int, c config.Edge) handles {
	h := handles{unbounded, unbounded, unbounded, c.MaxUploads, 0}
	if limit > 0 {
		own := min(limit/4, maxOwn)
		h.connections = limit - own
		h.sockets = h.connections - min((h.connections+7)/8, maxREST)
		if h.uploads < 0 || h.uploads > own/4 {
			h.uploads = max(own/4, 2)
		}
		h.downloads = max(own/2, 2)
	}
	if c.MaxSockets != 0 && (h.sockets < 0 || c.MaxSockets < h.sockets) {
		h.sockets = c.MaxSockets
	}
	if h.sockets > 0 {
		h.unauthenticated = max(h.sockets/4, 1)
	}
	return h
}

// restLimits are the limits of package rest that depend on handles.
func (s *Server) restLimits() rest.Limits {
	return rest.Limits{Uploads: s.handles.uploads, Downloads: s.handles.downloads}
}

// perAddress is the bound n for one address. In --dev there is none, because a load
// generator on the same machine has one address.
func (s *Server) perAddress(n int) int {
	if s.config.Dev {
		return unbounded
	}
	return n
}

// limitsOf are the limits that the installation sets for every app.
func limitsOf(l config.Limits) skein.Settings {
	return skein.Settings{
		MaxMembers: l.MaxMembers, MaxConversations: l.MaxConversations,
		SendRate: l.SendRate, SendBurst: l.SendBurst, RESTRate: l.RESTRate, LoginRate: l.LoginRate,
	}
}

// maxBody is the largest frame or body, in bytes.
func (s *Server) maxBody() int64 { return int64(s.config.MaxBodyKiB) << 10 }

// socketsPerAddress has no bound in --dev unless the operator set one, because a load
// generator on the same machine has one address.
func (s *Server) socketsPerAddress() int {
	if s.config.Dev && s.config.SocketsPerAddress == 0 {
		return -1
	}
	return s.config.SocketsPerAddress
}

// guardConnections closes waiting connections before the process runs out of handles.
func (s *Server) guardConnections() {
	connects := unbounded
	if s.config.TLSCert != "" {
		connects = s.perAddress(connectRate)
	}
	s.public.guard = edge.New(edge.Options{
		Max: s.handles.connections, Others: s.sockets.Open, MaxPerAddress: s.perAddress(s.config.MaxConnectionsPerAddress), NewPerSecond: connects,
		Address: s.trust.Connection, Now: clock.Now, Log: s.log, Registerer: s.registry,
	})
}

// connectRate is how many connections with TLS an address may open a second: as many as it may
// have handshakes of sockets.
const connectRate = 100

// newGate makes the gate through which the CPU work of all sockets and calls passes, so that
// apps take turns. Fewer places protect apps better from bursts of others, but make the
// group commits of the store smaller; see docs/decisions/0014.
func (s *Server) newGate() *share.Gate {
	g := share.NewGate(4*runtime.GOMAXPROCS(0), share.Stall)
	s.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "skein_turns_waiting", Help: "Handshakes, frames and calls that wait for their app's turn on the processor.",
	}, func() float64 { return float64(g.Waiting()) }))
	return g
}

// mebibytes converts a setting from MiB to bytes; a negative one means no bound.
func mebibytes(n int) int64 {
	if n < 0 {
		return unbounded
	}
	return int64(n) << 20
}

// watchSpace adds the free space of the disk to the metrics.
func (s *Server) watchSpace() {
	s.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "skein_disk_free_bytes", Help: "Free space of the disk of --data.",
	}, func() float64 {
		free, _, err := s.uploads.Free()
		if err != nil {
			return -1
		}
		return float64(free)
	}))
}
