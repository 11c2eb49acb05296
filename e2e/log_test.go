package e2e

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// shownLog is how much of the end of a log is shown.
const shownLog = 16 << 10

// logBuffer keeps what a server writes.
type logBuffer struct {
	mu sync.Mutex
	b  []byte
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = append(l.b, p...)
	return len(p), nil
}

func (l *logBuffer) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.b)
}

func (l *logBuffer) tail(from int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.b[min(from, len(l.b)):]
	if len(b) > shownLog {
		b = b[len(b)-shownLog:]
	}
	return string(b)
}

func (l *logBuffer) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.b)
}

var disasters = regexp.MustCompile(`WARNING: DATA RACE|panic: |panic serving|fatal error: |goroutine \d+ \[|"level":"ERROR"|level=ERROR`)

func (l *logBuffer) disaster(from int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.b[min(from, len(l.b)):]
	at := disasters.FindIndex(b)
	if at == nil {
		return ""
	}
	end := bytes.IndexByte(b[at[0]:], '\n')
	if end < 0 {
		end = len(b) - at[0]
	}
	start := bytes.LastIndexByte(b[:at[0]], '\n') + 1
	return string(b[start : at[0]+end])
}

// says waits until the log holds the texts: what a process writes may come after what it answers.
func (s *server) says(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		eventually(t, "the log says "+text, func() bool { return strings.Contains(s.log.all(), text) })
	}
}
