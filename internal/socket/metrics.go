package socket

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein/internal/socket/frame"
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
		Name: "skein_sockets_closed_total", Help: `Sockets closed, by the server's close code; "peer": the client closed first; 1006: the connection broke or was cut.`,
	}, []string{"code"})
	m.refused = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "skein_sockets_refused_total", Help: "Sockets refused or closed because a bound was reached: sockets of an address (address), its handshakes (handshakes), all sockets or those not logged in (full), sockets of an app (app), memory of unfinished messages (unfinished).",
	}, []string{"what"})
	if reg == nil {
		return
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	reg.MustRegister(m.framesIn, m.closes, m.refused,
		gauge("skein_sockets", "Open sockets, logged in or not.", func() float64 { return float64(s.open.size()) }),
		gauge("skein_unfinished_bytes", "Memory of unfinished messages.", func() float64 {
			return float64(s.unfinished.Taken() + s.earlyUnfinished.Taken())
		}))
}

// closed counts a closed socket. Codes that clients chose share one label, because a
// client may send any of thousands.
func (m *metrics) closed(end *frame.End) {
	label := "peer"
	if !end.ByPeer {
		label = strconv.Itoa(end.Code)
	}
	m.closes.WithLabelValues(label).Inc()
}
