package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	memoryLook = 10 * time.Second // between two looks
	spareBytes = 1 << 20          // less is not worth a collection
	spareShare = 8                // nor is less than this part of what lives
)

// returnMemory gives back to the system what a storm of logins or messages needed
// and a quiet node does not, until ctx ends. The runtime keeps as much again as
// lives, stacks included, for what comes until the next collection; a node that
// allocates too little to need it within a minute does without. It costs a
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
	stacks    uint64 // that the last collection looked at
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
