package webhooks

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	calls    *prometheus.CounterVec
	events   prometheus.Counter
	dead     prometheus.Counter
	disabled *prometheus.CounterVec
	lag      prometheus.Gauge
	waiting  prometheus.Gauge
	states   *prometheus.GaugeVec
}

func newMetrics(r prometheus.Registerer) metrics {
	m := metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "skein_webhook_calls_total", Help: "Calls of webhooks, by result: delivered, failed (an answer other than 2xx), unreachable (no answer), gone (410).",
		}, []string{"result"}),
		events: prometheus.NewCounter(prometheus.CounterOpts{Name: "skein_webhook_events_total", Help: "Events that webhooks delivered."}),
		dead:   prometheus.NewCounter(prometheus.CounterOpts{Name: "skein_webhook_dead_letters_total", Help: "Calls of webhooks that were given up after all attempts failed."}),
		disabled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "skein_webhook_disabled_total", Help: "Endpoints that the server disabled, by reason.",
		}, []string{"reason"}),
		lag: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "skein_webhook_lag_seconds", Help: "Age of the oldest event that an enabled endpoint has not been sent yet; 0: none waits.",
		}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "skein_webhook_waiting", Help: "Calls of webhooks that failed and wait for their next attempt."}),
		states: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "skein_webhook_endpoints", Help: "Endpoints that this node delivers to, by state: up, failing, disabled.",
		}, []string{"state"}),
	}
	if r != nil {
		r.MustRegister(m.calls, m.events, m.dead, m.disabled, m.lag, m.waiting, m.states)
	}
	return m
}
