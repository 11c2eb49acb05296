package main

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/edge"
	"github.com/skein-im/skein/internal/files"
	"github.com/skein-im/skein/internal/rest"
	"github.com/skein-im/skein/internal/share"
)

// handles divides the files that the process may have open, so that it never runs
// out of them: the store, uploads and downloads have a part, sockets leave one to
// REST.
type handles struct {
	connections     int // sockets too
	sockets         int
	unauthenticated int // sockets that are not logged in
	uploads         int
	downloads       int
}

// unbounded stands for no bound in options whose zero is a default.
const unbounded = -1

// divide divides a limit of open files; zero: it is not known.
func divide(limit int, c config.Edge) handles {
	h := handles{unbounded, unbounded, unbounded, c.MaxUploads, 0}
	if limit > 0 {
		own := min(limit/4, 4096) // of the store, files, logs; and what is accepted and refused
		h.connections = limit - own
		h.sockets = h.connections / 8 * 7
		if h.uploads < 0 || h.uploads > own/4 {
			h.uploads = max(own/4, 2)
		}
		h.downloads = min(max(own/2, 2), 1024)
	}
	if c.MaxSockets != 0 && (h.sockets < 0 || c.MaxSockets < h.sockets) {
		h.sockets = c.MaxSockets
	}
	if h.sockets > 0 {
		h.unauthenticated = max(h.sockets/4, 1)
	}
	return h
}

// restLimits are what package rest allows.
func (s *server) restLimits() rest.Limits {
	return rest.Limits{Uploads: s.handles.uploads, Downloads: s.handles.downloads}
}

// perAddress is a bound of one address. There is none in --dev: a laptop's load
// generator has one address.
func (s *server) perAddress(n int) int {
	if s.config.Dev {
		return unbounded
	}
	return n
}

// guardConnections makes connections give way before handles run out.
func (s *server) guardConnections() {
	g := edge.New(edge.Options{
		Max: s.handles.connections, Others: s.sockets.Open, MaxPerAddress: s.perAddress(s.config.MaxConnectionsPerAddress),
		Address: s.trust.Connection, Now: clock, Log: s.log, Registerer: s.registry,
	})
	s.public.guard = g
	s.public.http.ConnState = g.State
}

// newGate is what the processor's work of all sockets and calls passes, the apps in
// turns. With fewer places bursts hurt other apps less, and the commits of the store get
// smaller; see docs/decisions/0014.
func (s *server) newGate() *share.Gate {
	g := share.NewGate(4*runtime.GOMAXPROCS(0), share.Stall)
	s.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "skein_turns_waiting", Help: "Handshakes, frames and calls that wait for their app's turn on the processor.",
	}, func() float64 { return float64(g.Waiting()) }))
	return g
}

// mebibytes is a setting in bytes; a negative one stays so.
func mebibytes(n int) int64 {
	if n < 0 {
		return unbounded
	}
	return int64(n) << 20
}

// watchSpace tells in the metrics how much of the disk is free.
func (s *server) watchSpace(uploads *files.Store) {
	s.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "skein_disk_free_bytes", Help: "Free space of the disk of --data.",
	}, func() float64 {
		free, _, err := uploads.Free()
		if err != nil {
			return -1
		}
		return float64(free)
	}))
}
