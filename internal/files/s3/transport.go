package s3

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
)

// connections is how many idle connections to the server are kept.
const connections = 64

// transport makes a transport whose connections fail when the server keeps silent for stall.
func transport(stall time.Duration) *http.Transport {
	dialer := net.Dialer{Timeout: min(stall, 5*time.Second)}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return patientConn{conn, stall}, nil
		},
		TLSHandshakeTimeout: stall,
		MaxIdleConns:        connections,
		MaxIdleConnsPerHost: connections,
		IdleConnTimeout:     stall,
		DisableCompression:  true,
	}
}

// patientConn fails when the other side neither sends nor takes anything for stall.
type patientConn struct {
	net.Conn

	stall time.Duration
}

func (c patientConn) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// Write also moves the deadline of the Read that waits for the answer meanwhile.
func (c patientConn) Write(b []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

type metrics struct {
	seconds *prometheus.HistogramVec
	failed  *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) metrics {
	m := metrics{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "skein_s3_seconds", Help: "Duration of calls to the S3 server, by call; of read until the content begins.",
			Buckets: []float64{.001, .003, .01, .03, .1, .3, 1, 3, 10, 30},
		}, []string{"call"}),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "skein_s3_failed_total", Help: "Failed calls to the S3 server, by call, after their retries.",
		}, []string{"call"}),
	}
	if r != nil {
		r.MustRegister(m.seconds, m.failed)
	}
	return m
}

// observe is deferred by a call. fs.ErrNotExist and a caller that gave up are no failures.
func (m metrics) observe(call string, began time.Time, err *error) {
	m.seconds.WithLabelValues(call).Observe(time.Since(began).Seconds())
	if failed(*err) {
		m.failed.WithLabelValues(call).Inc()
	}
}

func failed(err error) bool { return errors.Is(err, skein.ErrUnavailable) }
