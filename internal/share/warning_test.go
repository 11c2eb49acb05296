package share

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestAWarningIsNotWrittenForEachTime(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	var w Warning
	at := time.Unix(1000, 0)
	for _, after := range []time.Duration{0, 1, 9 * time.Second, 10 * time.Second, 11 * time.Second} {
		w.Log(log, at.Add(after), "full", slog.String("app", "shop"))
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "level=WARN msg=full app=shop times_before=0") || !strings.Contains(lines[1], "times_before=2") {
		t.Errorf("five calls in 11 s wrote %q, want two lines, the second with the two left out", lines)
	}
}
