package edge

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	closed  *prometheus.CounterVec
	refused prometheus.Counter
}

func (m *metrics) init(reg prometheus.Registerer, g *Guard) {
	m.closed = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "skein_connections_closed_total",
		Help: "Connections closed because too many were open: waiting ones closed for new ones (idle), new ones refused by the bound of an address (address), by how many it opens a second (rate) or by the bound of all (full), and failures of the system to open one (no_handles).",
	}, []string{"reason"})
	m.refused = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "skein_http2_requests_refused_total", Help: "Requests over HTTP/2 refused because their address had too many running.",
	})
	if reg == nil {
		return
	}
	reg.MustRegister(m.closed, m.refused, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "skein_http2_requests", Help: "Running requests over HTTP/2.",
	}, func() float64 { return float64(g.streams.Taken()) }), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "skein_connections", Help: "Open HTTP connections, without sockets.",
	}, func() float64 { return float64(g.size()) }))
}
