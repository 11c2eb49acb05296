package engine

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein/internal/share"
)

// Metrics are what an operator watches of the store. Those that the embedded engine has too
// have its names.
type Metrics struct {
	Messages CommitMetrics // of the committer of messages
	Logins   CommitMetrics // of the committer of logins
	Refused  prometheus.Counter
	Horizon  prometheus.Gauge // seconds; see purge

	read, search, write, upkeep *share.Queue // of the pool's connections
	trips                       prometheus.Counter

	registered []prometheus.Collector
	registerer prometheus.Registerer // nil: not registered
}

// CommitMetrics are of one committer.
type CommitMetrics struct {
	took   prometheus.Observer
	size   prometheus.Observer
	queued prometheus.Gauge
	wait   prometheus.Observer
	failed prometheus.Counter
}

// Begin tells of a batch of size that begins while behind others wait.
func (m *CommitMetrics) Begin(size, behind int) {
	m.size.Observe(float64(size))
	m.queued.Set(float64(size + behind))
}

// Waited tells how long a call waited for its batch to begin.
func (m *CommitMetrics) Waited(d time.Duration) { m.wait.Observe(d.Seconds()) }

// Done tells how long a batch took, and whether it failed.
func (m *CommitMetrics) Done(took time.Duration, err error) {
	m.took.Observe(took.Seconds())
	if err != nil {
		m.failed.Inc()
	}
}

func newMetrics(r prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{registerer: r}
	queues := share.NewQueues()
	m.read, m.search, m.write, m.upkeep = queues.Of("read"), queues.Of("search"), queues.Of("write"), queues.Of("upkeep")
	m.Refused = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "skein_store_refused_total",
		Help: "Messages refused because the app's part of the queue was full.",
	})
	m.Horizon = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "skein_store_oldest_transaction_seconds",
		Help: "At least how long the oldest transaction of the database server that wrote is open. It holds back sync, the feed and vacuum. The node that purges knows it; others say 0.",
	})
	m.trips = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "skein_database_round_trips_total",
		Help: "Times that calls on the connections of the pool asked the database and waited for its answer.",
	})
	all := []prometheus.Collector{queues, m.trips, m.Refused, m.Horizon}
	committer := func(prefix, what, queue string) CommitMetrics {
		took := prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    prefix + "commit_seconds",
			Help:    "How long a group commit of " + what + " took, from its begin to its answer.",
			Buckets: prometheus.ExponentialBuckets(100e-6, 2, 16), // 100 µs to 3.3 s
		})
		size := prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    prefix + "commit_jobs",
			Help:    "How many " + what + " shared a group commit.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 11), // 1 to 1,024
		})
		queued := prometheus.NewGauge(prometheus.GaugeOpts{
			Name: prefix + "queue_jobs",
			Help: "How many " + what + " waited when the last group commit began.",
		})
		failed := prometheus.NewCounter(prometheus.CounterOpts{
			Name: prefix + "failed_total",
			Help: "Group commits of " + what + " that failed: all of them were answered 5030.",
		})
		all = append(all, took, size, queued, failed)
		return CommitMetrics{took, size, queued, queues.Waited(queue), failed}
	}
	m.Messages = committer("skein_store_", "messages", "message")
	m.Logins = committer("skein_store_login_", "logins", "login")
	if r == nil {
		return m, nil
	}
	for _, c := range all {
		if err := r.Register(c); err != nil {
			m.unregister()
			return nil, err
		}
		m.registered = append(m.registered, c)
	}
	return m, nil
}

// unregister lets a later store use the same registerer.
func (m *Metrics) unregister() {
	for _, c := range m.registered {
		m.registerer.Unregister(c)
	}
}
