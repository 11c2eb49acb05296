package socket

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	framesIn prometheus.Counter
	closes   *prometheus.CounterVec
}

func (m *metrics) init(reg prometheus.Registerer, r *roster) {
	m.framesIn = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "skein_frames_in_total", Help: "Text frames read from sockets.",
	})
	m.closes = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "skein_sockets_closed_total", Help: `Sockets closed, by the server's close code; "peer": the peer closed first, 1006: it vanished or was cut.`,
	}, []string{"code"})
	if reg == nil {
		return
	}
	reg.MustRegister(m.framesIn, m.closes, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "skein_sockets", Help: "Open sockets, logged in or not.",
	}, func() float64 { return float64(r.size()) }))
}

// closed counts a socket. A peer's own codes are one label: there are too many.
func (m *metrics) closed(bye *farewell) {
	label := "peer"
	if !bye.byPeer {
		label = strconv.Itoa(bye.code)
	}
	m.closes.WithLabelValues(label).Inc()
}
