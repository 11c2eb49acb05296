package load

import (
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/skein-im/skein/internal/bench/report"
)

// Latencies is a histogram with three digits from 1 µs to a minute. Safe for
// concurrent use.
type Latencies struct {
	mu sync.Mutex
	h  *hdrhistogram.Histogram
}

// NewLatencies is an empty histogram.
func NewLatencies() *Latencies {
	return &Latencies{h: hdrhistogram.New(1, time.Minute.Microseconds(), 3)}
}

// Record adds one latency. More than a minute counts as a minute.
func (l *Latencies) Record(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.h.RecordValue(min(max(1, d.Microseconds()), time.Minute.Microseconds())) // in range
}

// Values are the percentiles in milliseconds, with their targets.
func (l *Latencies) Values(what string, targets map[float64]*report.Target) []report.Value {
	l.mu.Lock()
	defer l.mu.Unlock()
	var values []report.Value
	for _, p := range []float64{50, 99, 99.9} {
		ms := float64(l.h.ValueAtPercentile(p)) / 1000
		values = append(values, report.Value{Name: fmt.Sprintf("%s p%v", what, p), Value: ms, Unit: "ms", Target: targets[p]})
	}
	return values
}
