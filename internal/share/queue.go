package share

import "github.com/prometheus/client_golang/prometheus"

// Queues are the metrics of the calls that use the store's connections, by kind of call. Both
// engines of the store have them, under the same names. It is a prometheus.Collector.
type Queues struct {
	inUse, waiting *prometheus.GaugeVec
	waited         *prometheus.HistogramVec
}

// Queue are the metrics of one kind of call.
type Queue struct {
	inUse, waiting prometheus.Gauge
	waited         prometheus.Observer // seconds
}

// NewQueues makes the metrics.
func NewQueues() *Queues {
	by := []string{"queue"}
	return &Queues{
		inUse: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "skein_store_connections_in_use",
			Help: "Connections to the store that calls use now, by kind of call.",
		}, by),
		waiting: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "skein_store_calls_waiting",
			Help: "Calls that wait for a connection to the store now, by kind of call.",
		}, by),
		waited: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "skein_store_wait_seconds",
			Help:    "How long calls waited for their turn, by what they waited for: a connection, or a commit.",
			Buckets: prometheus.ExponentialBuckets(100e-6, 4, 9), // 100 µs to 6.6 s
		}, by),
	}
}

// Of are the metrics of a kind of call that uses connections.
func (q *Queues) Of(kind string) *Queue {
	return &Queue{q.inUse.WithLabelValues(kind), q.waiting.WithLabelValues(kind), q.waited.WithLabelValues(kind)}
}

// Waited is where calls of a kind that waits for something else than a connection say how many
// seconds they waited.
func (q *Queues) Waited(kind string) prometheus.Observer { return q.waited.WithLabelValues(kind) }

// Describe implements prometheus.Collector.
func (q *Queues) Describe(all chan<- *prometheus.Desc) {
	q.inUse.Describe(all)
	q.waiting.Describe(all)
	q.waited.Describe(all)
}

// Collect implements prometheus.Collector.
func (q *Queues) Collect(all chan<- prometheus.Metric) {
	q.inUse.Collect(all)
	q.waiting.Collect(all)
	q.waited.Collect(all)
}
