package socket

import (
	"github.com/skein-im/skein/internal/socket/frame"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	framesIn prometheus.Counter
	closes   *prometheus.CounterVec
	refused  *prometheus.CounterVec
}

func (m *metrics) init(reg prometheus.Registerer, s *Server) {
	m.framesIn = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "skein_frames_in_total", Help: "Text frames read from sockets.",
	})
	m.closes = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "skein_sockets_closed_total", Help: `Sockets closed, by the server's close code; "peer": the peer closed first, 1006: it vanished or was cut.`,
	}, []string{"code"})
	m.refused = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "skein_sockets_refused_total", Help: "Sockets refused or closed since something of them is held too much of: sockets of an address, its handshakes, all sockets (full), sockets of an app, memory of unfinished messages.",
	}, []string{"what"})
	if reg == nil {
		return
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	reg.MustRegister(m.framesIn, m.closes, m.refused,
		gauge("skein_sockets", "Open sockets, logged in or not.", func() float64 { return float64(s.roster.size()) }),
		gauge("skein_unfinished_bytes", "Memory of messages that have not come whole.", func() float64 {
			return float64(s.unfinished.Taken() + s.strangers.unfinished.Taken())
		}))
}

// closed counts a socket. A peer's own codes are one label: there are too many.
func (m *metrics) closed(bye *frame.End) {
	label := "peer"
	if !bye.ByPeer {
		label = strconv.Itoa(bye.Code)
	}
	m.closes.WithLabelValues(label).Inc()
}
