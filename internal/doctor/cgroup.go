package doctor

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/datadir"
)

// confines is what the control groups of a process (cgroup v2) let it have, and what its environment tells Go of
// that. Zero: no limit.
type confines struct {
	memory   int64   // bytes
	cpus     float64 // cores
	goMemory int64   // GOMEMLIMIT
	goProcs  int     // GOMAXPROCS
}

// Bounds of what fits.
const (
	fullMemory = 0.95 // GOMEMLIMIT beyond this part of the limit comes too late
	fewCPUs    = 1    // Skein works with less, though each pause of the group is a pause for all its clients
)

// readConfines reads them. root is the root of the file system.
func readConfines(root fs.FS, pid string, environment []string) (c confines) {
	group := ""
	for line := range strings.Lines(readText(root, "proc", pid, "cgroup")) {
		if path, ok := strings.CutPrefix(line, "0::"); ok { // version 2
			group = strings.TrimSpace(path)
		}
	}
	for ; group != ""; group = path.Dir(group) { // a group has no more than those around it
		at := path.Join("sys/fs/cgroup", group)
		if most, err := strconv.ParseInt(readText(root, at, "memory.max"), 10, 64); err == nil && (c.memory == 0 || most < c.memory) {
			c.memory = most
		}
		var quota, period float64
		if _, err := fmt.Sscan(readText(root, at, "cpu.max"), &quota, &period); err == nil && period > 0 && (c.cpus == 0 || quota/period < c.cpus) {
			c.cpus = quota / period
		}
		if group == "/" || group == "." {
			break
		}
	}
	for _, kv := range environment {
		switch name, value, _ := strings.Cut(kv, "="); name {
		case "GOMEMLIMIT":
			c.goMemory = parseMemory(value)
		case "GOMAXPROCS":
			c.goProcs, _ = strconv.Atoi(value)
		}
	}
	return c
}

func readText(root fs.FS, names ...string) string {
	raw, _ := fs.ReadFile(root, path.Join(names...)) // what cannot be read has no limit that we know
	return strings.TrimSpace(string(raw))
}

// parseMemory reads GOMEMLIMIT; zero: none.
func parseMemory(text string) int64 {
	shift := 0
	for unit, by := range map[string]int{"TiB": 40, "GiB": 30, "MiB": 20, "KiB": 10} {
		if n, ok := strings.CutSuffix(text, unit); ok {
			text, shift = n, by
		}
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(text, "B"), 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64>>shift {
		return 0
	}
	return n << shift
}

// confinesOf are those of the server that runs on the directory, or else of this shell.
func confinesOf(data string) confines {
	pid, environment := "self", os.Environ()
	if n := datadir.Holder(data); n != 0 {
		pid = strconv.Itoa(n)
		raw, _ := os.ReadFile(path.Join("/proc", pid, "environ")) //nolint:gosec // of /proc; another user's: as if it set nothing
		environment = strings.Split(string(raw), "\x00")
	}
	return readConfines(os.DirFS("/"), pid, environment)
}

// confined judges whether a server fits into its control groups.
func (e *examination) confined(c confines, s config.Serve) {
	if c.memory == 0 {
		e.add("memory limit", OK, "no control group limits it", "")
	} else {
		saw := fmt.Sprintf("%d MiB by the control group; GOMEMLIMIT ", c.memory>>20)
		advice := fmt.Sprintf("set GOMEMLIMIT=%dMiB, nine tenths of the limit: Go then collects in time, else the kernel ends the server", c.memory/10*9>>20)
		need := int64(s.CacheMiB)*blockSize + aside
		switch {
		case c.memory < need:
			e.add("memory limit", Warn, fmt.Sprintf("%d MiB by the control group", c.memory>>20), fmt.Sprintf("give it more than %d MiB, or lower --cache-mib: a server takes the cache, 256 MiB and about 30 KiB a socket", need>>20))
		case c.goMemory == 0:
			e.add("memory limit", Warn, saw+"is not set", advice)
		default:
			e.judge("memory limit", float64(c.goMemory) <= fullMemory*float64(c.memory), Warn, fmt.Sprintf("%s%d MiB", saw, c.goMemory>>20), advice)
		}
	}
	switch {
	case c.cpus == 0:
		e.add("CPU limit", OK, "no control group limits it", "")
	case float64(c.goProcs) > math.Ceil(c.cpus):
		e.add("CPU limit", Warn, fmt.Sprintf("%.3g cores by the control group; GOMAXPROCS %d", c.cpus, c.goProcs), "leave GOMAXPROCS away: Go takes the limit of the group. With more the group is stopped for the rest of each 0.1 s in which it has used up its part")
	default:
		e.judge("CPU limit", c.cpus >= fewCPUs, Warn, fmt.Sprintf("%.3g cores by the control group", c.cpus), "give it at least one core: a group that has used up its part stands still for the rest of each 0.1 s, and all its clients wait")
	}
}
