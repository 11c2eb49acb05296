package edge

import "github.com/prometheus/client_golang/prometheus"

type metrics struct{ closed *prometheus.CounterVec }

func (m *metrics) init(reg prometheus.Registerer, g *Guard) {
	m.closed = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "skein_connections_closed_total",
		Help: "Connections closed for lack of room: idle ones that gave way, new ones of an address with too many (address) or beyond all (full); no_handles: the system refused one.",
	}, []string{"reason"})
	if reg == nil {
		return
	}
	reg.MustRegister(m.closed, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "skein_connections", Help: "Open HTTP connections, without sockets.",
	}, func() float64 { return float64(g.size()) }))
}
