package feed

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	entries *prometheus.CounterVec
	errors  *prometheus.CounterVec
	lag     *prometheus.GaugeVec
	held    *prometheus.GaugeVec
}

func newMetrics(r prometheus.Registerer) metrics {
	m := metrics{
		entries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "skein_feed_entries_total", Help: "Entries of the feed that a consumer has handled; of the doorbell, conversations it has rung.",
		}, []string{"consumer"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "skein_feed_errors_total", Help: "Times that a consumer of the feed failed; it tries again.",
		}, []string{"consumer"}),
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "skein_feed_lag_seconds", Help: "Age of the newest entry that a consumer has handled while there are more; 0 at the end.",
		}, []string{"consumer"}),
		held: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "skein_lease_held", Help: "1 while this node has the lease.",
		}, []string{"lease"}),
	}
	if r != nil {
		r.MustRegister(m.entries, m.errors, m.lag, m.held)
	}
	return m
}
