package engine

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein/internal/share"
)

// metrics are the writer's figures for operators.
type metrics struct {
	commit  prometheus.Histogram
	jobs    prometheus.Histogram
	queued  prometheus.Gauge
	wait    *share.Queues
	refused *prometheus.CounterVec // by reason
	failed  prometheus.Counter
	long    prometheus.Counter
	corrupt prometheus.Counter

	writes, upkeep prometheus.Observer // of wait

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
		wait: share.NewQueues(),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "skein_store_refused_total",
			Help: "Writes refused because the app's part of the queue was full, by what there was too much of.",
		}, []string{"reason"}),
		long: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "skein_store_searches_ended_total",
			Help: "Searches ended with 4290 because they took too long; the log says whose.",
		}),
		corrupt: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "skein_store_corrupt_total",
			Help: "Reads and writes that met a corrupt page of the store's file.",
		}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "skein_store_failed_total",
			Help: "Group commits that failed, all of whose writes were answered 5030.",
		}),
	}
	m.writes, m.upkeep = m.wait.Waited("write"), m.wait.Waited("upkeep")
	for _, why := range []refused{refusedClosed, refusedJobs, refusedBytes, refusedTime} {
		m.refused.WithLabelValues(string(why)) // so that the series exists from the start
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
	return []prometheus.Collector{m.commit, m.jobs, m.queued, m.wait, m.refused, m.failed, m.long, m.corrupt}
}

// waited observes how long each call waited until its jobs were taken.
func (m *metrics) waited(jobs []*Job) {
	now, last := time.Now(), (*call)(nil)
	for _, j := range jobs {
		if j.call == last {
			continue
		}
		last = j.call
		wait := m.writes
		if j.App == "" {
			wait = m.upkeep
		}
		wait.Observe(now.Sub(last.since).Seconds())
	}
}

// unregister makes the registerer free for a later store.
func (m *metrics) unregister() {
	if m.registerer == nil {
		return
	}
	for _, c := range m.collectors() {
		m.registerer.Unregister(c)
	}
}
