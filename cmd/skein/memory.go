package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// garbagePercent is how much garbage may gather, in percent of what lives, before it is
// collected. The runtime's own 100 collects a small heap many times a second and costs a
// busy node a sixth more CPU a message; more than 200 gains little (docs/decisions/0023).
const garbagePercent = 200

// setGarbage applies garbagePercent, unless the operator has set GOGC.
func setGarbage() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
}

const (
	memoryLook = 10 * time.Second // between two looks
	spareBytes = 1 << 20          // less is not worth a collection
	spareShare = 8                // nor is less than this part of what lives
)

// returnMemory gives back to the system what a storm of logins or messages needed and a
// quiet node does not, until ctx ends. The runtime keeps memory for the garbage to come;
// a node that allocates too little to need it within a minute gives it back. That costs a
// collection, at most one a minute, and nothing while there is work.
func returnMemory(ctx context.Context) {
	ticker := time.NewTicker(memoryLook)
	defer ticker.Stop()
	before := readMemory()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := readMemory()
		if now.spare(before) {
			debug.FreeOSMemory()
		}
		before = now
	}
}

// memory is what the runtime says of its heap, in bytes.
type memory struct {
	allocated uint64 // since the start
	live      uint64 // found by the last collection
	held      uint64 // lives, is garbage, or is free and not given back
}

// spare reports whether much more is held than lives, and enough for a minute at the
// rate since before, a look ago.
func (m memory) spare(before memory) bool {
	if m.held < m.live {
		return false
	}
	beyond := m.held - m.live
	minute := uint64(time.Minute/memoryLook) * (m.allocated - before.allocated)
	return beyond >= max(spareBytes, m.live/spareShare) && beyond > minute
}

func readMemory() memory {
	samples := []metrics.Sample{
		{Name: "/gc/heap/allocs:bytes"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(samples)
	return memory{
		allocated: samples[0].Value.Uint64(),
		live:      samples[1].Value.Uint64(),
		held:      samples[2].Value.Uint64() + samples[3].Value.Uint64(),
	}
}
