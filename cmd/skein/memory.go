package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	memoryLook = 10 * time.Second // between two looks
	spareBytes = 1 << 20          // less is not worth a collection
	spareShare = 8                // nor is less than this part of what lives

	garbageBytes = 64 << 20 // may gather before a collection, even where less lives
	maxPercent   = 400      // of what lives, for it may grow much until the next look
)

// tendMemory keeps the runtime from collecting the small heap of a busy node many
// times a second, and gives back what a quiet one does not need, until ctx ends.
func tendMemory(ctx context.Context) {
	pace := os.Getenv("GOGC") == "" // who sets it has decided
	ticker := time.NewTicker(memoryLook)
	defer ticker.Stop()
	for before := readMemory(); ; {
		if pace {
			debug.SetGCPercent(before.percent())
		}
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
	stacks    uint64 // that the last collection looked at
}

// percent is how much garbage may gather, in percent of what a collection has to look
// at: as the runtime has it, 100, or more where that is little.
func (m memory) percent() int {
	return int(min(max(100, 100*garbageBytes/max(1, m.live+m.stacks)), maxPercent))
}

// spare reports whether much more is held than lives, and enough for a minute at the
// rate since before, a look ago. The runtime keeps room for what comes until the next
// collection; a node that allocates too little to need it within a minute does
// without. It costs a collection, at most one a minute, and nothing while there is
// work.
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
		{Name: "/gc/scan/stack:bytes"},
	}
	metrics.Read(samples)
	return memory{
		allocated: samples[0].Value.Uint64(),
		live:      samples[1].Value.Uint64(),
		held:      samples[2].Value.Uint64() + samples[3].Value.Uint64(),
		stacks:    samples[4].Value.Uint64(),
	}
}
