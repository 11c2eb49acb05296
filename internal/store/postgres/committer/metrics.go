package committer

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what an operator watches of the committer. They have the names of the embedded
// engine's.
type metrics struct {
	commit  prometheus.Histogram
	jobs    prometheus.Histogram
	queued  prometheus.Gauge
	wait    prometheus.Observer
	refused prometheus.Counter
	failed  prometheus.Counter

	registered []prometheus.Collector
	registerer prometheus.Registerer // nil: not registered
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	wait := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "skein_store_wait_seconds",
		Help:    "How long calls waited for their turn, by what they waited for.",
		Buckets: prometheus.ExponentialBuckets(100e-6, 4, 9), // 100 µs to 6.6 s
	}, []string{"queue"})
	m := &metrics{
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "skein_store_commit_seconds",
			Help:    "How long a group commit took, from its begin to its answer.",
			Buckets: prometheus.ExponentialBuckets(100e-6, 2, 16), // 100 µs to 3.3 s
		}),
		jobs: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "skein_store_commit_jobs",
			Help:    "How many messages shared a group commit.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 11), // 1 to 1,024
		}),
		queued: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "skein_store_queue_jobs",
			Help: "How many messages waited when the last group commit began.",
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "skein_store_refused_total",
			Help: "Messages refused because the app's part of the queue was full.",
		}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "skein_store_failed_total",
			Help: "Group commits that failed, all of whose writes were answered 5030.",
		}),
		wait: wait.WithLabelValues("write"), registerer: r,
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.commit, m.jobs, m.queued, wait, m.refused, m.failed} {
		if err := r.Register(c); err != nil {
			m.unregister()
			return nil, err
		}
		m.registered = append(m.registered, c)
	}
	return m, nil
}

// begin tells of a batch that begins now while depth drafts wait behind it.
func (m *metrics) begin(drafts []*draft, depth int, now time.Time) {
	m.queued.Set(float64(depth + len(drafts)))
	m.jobs.Observe(float64(len(drafts)))
	last := (*call)(nil)
	for _, d := range drafts {
		if d.call != last {
			last = d.call
			m.wait.Observe(now.Sub(last.since).Seconds())
		}
	}
}

// unregister lets a later store use the same registerer.
func (m *metrics) unregister() {
	for _, c := range m.registered {
		m.registerer.Unregister(c)
	}
}
