package node

import "github.com/prometheus/client_golang/prometheus"

type metrics struct{ lost, dismissed prometheus.Counter }

func (m *metrics) init(reg prometheus.Registerer, live func() int) {
	m.lost = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "skein_node_lease_lost_total", Help: "Times that the lease of this node had expired and it entered its sessions again.",
	})
	m.dismissed = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "skein_node_dismissed_total", Help: "Sessions closed with 1012 because the store was away for longer than --patience.",
	})
	if reg != nil {
		reg.MustRegister(m.lost, m.dismissed, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "skein_nodes", Help: "Nodes of the installation that this node knows to be alive, this one included.",
		}, func() float64 { return float64(live()) }))
	}
}
