package serve

import (
	"context"
	"os"
	"runtime/debug"
	"time"
)

const (
	usualPercent   = 100         // garbage beside the live data before a collection: Go's default
	mostPercent    = 400         // at most, since much may become live until the next check
	patientGarbage = 64 << 20    // bytes of garbage beyond which Go's default is enough
	growingShare   = 8           // the live data grows if more than this part of it is new
	garbageCheck   = time.Second // between two checks
)

// collectLess keeps the runtime from collecting a small heap many times a second while the
// node is busy, until ctx ends: garbage may gather for about a second. While the live data
// grows, as in a storm of logins, the runtime collects as usual, so that what stays lies
// close together. What this saves is measured in docs/decisions/0023.
func collectLess(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return // the operator has decided
	}
	ticker := time.NewTicker(garbageCheck)
	defer ticker.Stop()
	percent := usualPercent
	for before := readMemory(); ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := readMemory()
		if next := now.percent(before); next != percent {
			percent = next
			debug.SetGCPercent(percent)
		}
		before = now
	}
}

// percent is how much garbage may gather, in percent of what a collection scans. before is the
// state at the previous check. It grows in steps, since each change stops the world for a moment.
func (m memory) percent(before memory) int {
	if m.live > before.live+before.live/growingShare {
		return usualPercent
	}
	garbage := min(m.allocated-before.allocated, patientGarbage)
	percent := 100 * garbage / max(1, m.live+m.stacks)
	for step := mostPercent; step > usualPercent; step /= 2 {
		if percent >= uint64(step) {
			return step
		}
	}
	return usualPercent
}
