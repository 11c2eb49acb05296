package rest

import (
	"errors"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/share"
	"github.com/skein-im/skein/internal/wire"
)

type metrics struct {
	calls   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	refused *prometheus.CounterVec
	cut     *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer, h *held) metrics {
	m := metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "skein_rest_calls_total", Help: "REST calls by op and code.",
		}, []string{"op", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "skein_rest_seconds", Help: "Time to answer a REST call.", Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8),
		}, []string{"op"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "skein_rest_refused_total", Help: "REST calls refused because their app, client or address used its whole share, by what it used.",
		}, []string{"what"}),
		cut: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "skein_uploads_cut_total", Help: "Uploads ended because they were too slow (slow), or because their caller was banned, logged out or deleted (revoked).",
		}, []string{"reason"}),
	}
	if r != nil {
		r.MustRegister(m.calls, m.seconds, m.refused, m.cut,
			gauge("skein_rest_in_flight", "Running REST calls whose body has been read.", h.calls),
			gauge("skein_rest_body_bytes", "Memory of the JSON bodies of REST calls, read or being read.", h.bodies),
			gauge("skein_rest_answer_bytes", "Memory of large REST answers that are being sent.", h.answers),
			gauge("skein_uploads", "Running uploads.", h.uploads),
			gauge("skein_downloads", "Running downloads.", h.downloads))
	}
	return m
}

func gauge(name, help string, p *share.Pool) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(p.Taken()) })
}

// uploaded counts an upload that the server ended; cause is the cause of its context.
func (m metrics) uploaded(err, cause error) {
	switch {
	case errors.Is(err, skein.ErrTooSlow):
		m.cut.WithLabelValues("slow").Inc()
	case access.Refused(cause):
		m.cut.WithLabelValues("revoked").Inc()
	}
}

// codeOf is the code of an answer.
func codeOf(err error) int {
	if err == nil {
		return 0
	}
	return wire.CodeOf(err).Code
}

func (m metrics) observe(op string, err error, took time.Duration) {
	m.calls.WithLabelValues(op, strconv.Itoa(codeOf(err))).Inc()
	m.seconds.WithLabelValues(op).Observe(took.Seconds())
}
