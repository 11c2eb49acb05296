package presence

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	frames prometheus.Counter
	lost   prometheus.Counter
}

func (m *metrics) init(reg prometheus.Registerer, p *Presence) {
	m.frames = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "skein_presence_frames_total", Help: "Frames that told a session who came and went.",
	})
	m.lost = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "skein_presence_lost_sightings_total", Help: "Times of last being online dropped while the store was away.",
	})
	if reg == nil {
		return
	}
	reg.MustRegister(m.frames, m.lost,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "skein_presence_subscriptions", Help: "Sessions that are told who comes and goes.",
		}, func() float64 {
			p.mu.Lock()
			defer p.mu.Unlock()
			return float64(len(p.watches.sessions))
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "skein_presence_watches", Help: "Clients that sessions are told of, each counted once a session.",
		}, func() float64 { return float64(p.news.watching.Load()) }))
}
