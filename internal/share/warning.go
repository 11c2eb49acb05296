package share

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// warningPause is how long a Warning writes nothing after a line.
const warningPause = 10 * time.Second

// Warning logs that a bound was reached, at most once every ten seconds: a client may reach
// a bound a thousand times a second.
// The zero value is ready. Safe for concurrent use.
type Warning struct {
	mu     sync.Mutex
	told   time.Time // guarded by mu
	silent int       // calls since told that wrote nothing; guarded by mu
}

// Log writes the line at level Warn, with the number of lines left out before it.
func (w *Warning) Log(log *slog.Logger, now time.Time, text string, attrs ...slog.Attr) {
	silent, ok := w.turn(now)
	if !ok {
		return
	}
	log.LogAttrs(context.Background(), slog.LevelWarn, text, append(attrs, slog.Int("times_before", silent))...)
}

// turn reports whether a line may be written now.
func (w *Warning) turn(now time.Time) (silent int, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if age := now.Sub(w.told); 0 <= age && age < warningPause {
		w.silent++
		return 0, false
	}
	silent = w.silent
	w.told, w.silent = now, 0
	return silent, true
}
