package delivery

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	delivered prometheus.Counter
	dropped   prometheus.Counter
	repaired  prometheus.Counter
	late      prometheus.Counter
	missed    prometheus.Counter
}

func newMetrics(r prometheus.Registerer) metrics {
	m := metrics{
		delivered: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "skein_deliveries_total", Help: "Frames queued for sessions of this node.",
		}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "skein_delivery_dropped_total", Help: "Events not delivered live: queue full, or audience unknown.",
		}),
		repaired: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "skein_delivery_repaired_total", Help: "Messages read from the store to fill a gap in live delivery.",
		}),
		late: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "skein_delivery_late_total", Help: "Messages and changes that came when this node had delivered them already, from the store or because they came twice.",
		}),
		missed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "skein_delivery_missed_notices_total", Help: "Notices about a conversation or its members that did not reach this node; it asked the clients concerned to sync.",
		}),
	}
	if r != nil {
		r.MustRegister(m.delivered, m.dropped, m.repaired, m.late, m.missed)
	}
	return m
}

// delivered counts frames that were queued for sessions.
func (d *Delivery) delivered(app string, frames int) {
	d.metrics.delivered.Add(float64(frames))
	if d.opts.Delivered != nil {
		d.opts.Delivered(app, frames)
	}
}
