package edge

import "github.com/prometheus/client_golang/prometheus"

type metrics struct{ closed *prometheus.CounterVec }

func (m *metrics) init(reg prometheus.Registerer, g *Guard) {
	m.closed = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "skein_connections_closed_total",
		Help: "Connections closed because too many were open: waiting ones closed for new ones (idle), new ones refused by the bound of an address (address) or of all (full), and failures of the system to open one (no_handles).",
	}, []string{"reason"})
	if reg == nil {
		return
	}
	reg.MustRegister(m.closed, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "skein_connections", Help: "Open HTTP connections, without sockets.",
	}, func() float64 { return float64(g.size()) }))
}
