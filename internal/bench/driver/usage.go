package driver

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/skein-im/skein/internal/bench/proc"
)

// Usage is what the processes of a host have used. What is not known is zero.
type Usage struct {
	Nodes    time.Duration // CPU of all nodes
	Database time.Duration // CPU of all processes of PostgreSQL
	WAL      int64         // bytes that PostgreSQL has written to its write-ahead log
}

// CPU is that of all processes.
func (u Usage) CPU() time.Duration { return u.Nodes + u.Database }

// Since is what was used after an earlier reading.
func (u Usage) Since(before Usage) Usage {
	return Usage{u.Nodes - before.Nodes, u.Database - before.Database, u.WAL - before.WAL}
}

// Known says that the CPU and the memory of the nodes can be read.
func (h *Host) Known() bool { return h.PID != 0 }

// OnDatabase says that the host's database is a process apart whose use is known.
func (h *Host) OnDatabase() bool { return h.database != nil }

// Usage reads what the host has used.
func (h *Host) Usage(ctx context.Context) (u Usage, err error) {
	if !h.Known() {
		return u, nil
	}
	for _, node := range h.alive() {
		spent, err := proc.CPU(node.PID)
		if err != nil {
			return u, fmt.Errorf("the node at %s: %w", node.Addr, err)
		}
		u.Nodes += spent
	}
	if h.database == nil {
		return u, nil
	}
	if u.Database, err = proc.FamilyCPU(h.database.pid); err != nil {
		return u, fmt.Errorf("PostgreSQL: %w", err)
	}
	u.WAL, err = h.database.wal(ctx)
	return u, err
}

// alive are the nodes that were not killed.
func (h *Host) alive() []*Host {
	return slices.DeleteFunc(h.nodes(), func(node *Host) bool { return node.child != nil && node.child.Ended() })
}

// RSS is the resident memory of all nodes as it is.
func (h *Host) RSS() (total int64, err error) {
	for _, node := range h.alive() {
		rss, err := proc.RSS(node.PID)
		if err != nil {
			return 0, err
		}
		total += rss
	}
	return total, nil
}

// Memory is the resident memory of all nodes after they gave back what they could.
func (h *Host) Memory(ctx context.Context) (int64, error) {
	for _, node := range h.alive() {
		if node.Admin == "" {
			continue
		}
		if _, err := h.get(ctx, node.Admin, "/debug/pprof/heap?gc=1"); err != nil {
			return 0, fmt.Errorf("--admin: %w", err)
		}
	}
	return h.RSS()
}

// DatabaseMemory is what PostgreSQL holds, with shared memory counted once.
func (h *Host) DatabaseMemory() (int64, error) { return proc.FamilyPSS(h.database.pid) }
