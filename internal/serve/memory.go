package serve

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	memoryCheck = 10 * time.Second // between two checks
	spareBytes  = 1 << 20          // less is not worth a collection
	spareShare  = 8                // nor is less than this part of the live data
)

// returnMemory returns memory to the system that a burst of logins or messages needed and a
// quiet node does not need, until ctx ends. The runtime keeps free memory for later
// garbage. If the node allocates so little that it would not need that memory within a
// minute, returnMemory returns it. That costs at most one collection a minute, and none
// while the node is busy.
func returnMemory(ctx context.Context) {
	ticker := time.NewTicker(memoryCheck)
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

// memory is the state of the heap, in bytes.
type memory struct {
	allocated uint64 // since the start of the process
	live      uint64 // as the last collection found
	held      uint64 // live, garbage, or free and not returned to the system
}

// spare reports whether the heap holds much more than the live data, and more than the node
// allocates in a minute. before is the state at the previous check.
func (m memory) spare(before memory) bool {
	if m.held < m.live {
		return false
	}
	beyond := m.held - m.live
	minute := uint64(time.Minute/memoryCheck) * (m.allocated - before.allocated)
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
