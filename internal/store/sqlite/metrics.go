package sqlite

import (
	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what an operator watches of the writer.
type metrics struct {
	commit  prometheus.Histogram
	jobs    prometheus.Histogram
	queued  prometheus.Gauge
	refused prometheus.Counter
	failed  prometheus.Counter

	registerer prometheus.Registerer // nil: not registered
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "skein_store_commit_seconds",
			Help:    "How long a group commit took, from its begin to the end of its sync.",
			Buckets: prometheus.ExponentialBuckets(100e-6, 2, 16), // 100 µs to 3.3 s
		}),
		jobs: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "skein_store_commit_jobs",
			Help:    "How many writes shared a group commit.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 11), // 1 to 1,024
		}),
		queued: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "skein_store_queue_jobs",
			Help: "How many writes waited when the last group commit began.",
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "skein_store_refused_total",
			Help: "Writes refused because the queue was full.",
		}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "skein_store_failed_total",
			Help: "Group commits that failed, all of whose writes were answered 5030.",
		}),
	}
	if r == nil {
		return m, nil
	}
	m.registerer = r
	for _, c := range m.collectors() {
		if err := r.Register(c); err != nil {
			m.unregister()
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.commit, m.jobs, m.queued, m.refused, m.failed}
}

// unregister lets a later store use the same registerer.
func (m *metrics) unregister() {
	if m.registerer == nil {
		return
	}
	for _, c := range m.collectors() {
		m.registerer.Unregister(c)
	}
}
