package main

import (
	"context"
	"os"
	"runtime/debug"
	"time"
)

const (
	usualPercent   = 100         // of what lives may be garbage before it is collected, as the runtime has it
	mostPercent    = 400         // for much may come to live until the next look
	patientGarbage = 64 << 20    // bytes beyond which the usual is enough
	growingShare   = 8           // more than this part of what lives came to live: it grows
	garbageLook    = time.Second // between two looks
)

// collectLess keeps the runtime from collecting a small heap many times a second
// while there is work, until ctx ends: what is garbage then may gather for about a
// second. Where more and more lives, as in a storm of logins, it collects as usual,
// so that what will stay lies close together.
func collectLess(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return // who sets it has decided
	}
	ticker := time.NewTicker(garbageLook)
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

// percent is how much garbage may gather, in percent of what a collection looks at,
// given what was a look ago: in steps, since each change stops the world for a moment.
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
