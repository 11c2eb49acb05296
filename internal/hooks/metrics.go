package hooks

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	calls   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
}

func newMetrics(r prometheus.Registerer, open func() int) metrics {
	m := metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "skein_hook_calls_total",
			Help: "Questions to before-hooks, by hook and result: pass, replace, reject; failed (no answer, or not a verdict), timeout, busy (too many calls of the app at once), skipped (the breaker is open).",
		}, []string{"hook", "result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "skein_hook_seconds", Help: "How long senders waited for a before-hook.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}, []string{"hook"}),
	}
	if r != nil {
		r.MustRegister(m.calls, m.seconds, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "skein_hook_breakers_open", Help: "Before-hooks that this node does not call because they fail, of those that were asked in the last minute.",
		}, func() float64 { return float64(open()) }))
	}
	return m
}

func (m metrics) observe(hook, result string, took time.Duration) {
	m.calls.WithLabelValues(hook, result).Inc()
	m.seconds.WithLabelValues(hook).Observe(took.Seconds())
}
