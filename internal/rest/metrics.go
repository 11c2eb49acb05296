package rest

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein/internal/wire"
)

type metrics struct {
	calls   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	refused prometheus.Counter
}

func newMetrics(r prometheus.Registerer) metrics {
	m := metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "skein_rest_calls_total", Help: "REST calls by op and code.",
		}, []string{"op", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "skein_rest_seconds", Help: "Time to answer a REST call.", Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8),
		}, []string{"op"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "skein_rest_refused_total", Help: "REST calls refused because too many, or too large answers, were under way.",
		}),
	}
	if r != nil {
		r.MustRegister(m.calls, m.seconds, m.refused)
	}
	return m
}

func (m metrics) observe(op string, err error, took time.Duration) {
	code := 0
	if err != nil {
		code = wire.CodeOf(err).Code
	}
	m.calls.WithLabelValues(op, strconv.Itoa(code)).Inc()
	m.seconds.WithLabelValues(op).Observe(took.Seconds())
}
