package proc

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// CPU is what a process has used, user and system.
func CPU(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return parseStat(stat)
}

// Fields of /proc/pid/stat, counted from behind the name.
const (
	utime          = 11
	stime          = 12
	childrensUtime = 13
	childrensStime = 14
)

// parseStat reads utime and stime of /proc/pid/stat.
func parseStat(stat []byte) (time.Duration, error) { return parseTicks(stat, utime, stime) }

// parseTicks adds up fields of /proc/pid/stat.
func parseTicks(stat []byte, places ...int) (total time.Duration, err error) {
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux that Go runs on
	fields := behindName(stat)
	for _, at := range places {
		if len(fields) <= at {
			return 0, fmt.Errorf("stat has %d fields: %q", len(fields), stat)
		}
		n, err := strconv.ParseInt(string(fields[at]), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("stat: %w", err)
		}
		total += time.Duration(n) * tick
	}
	return total, nil
}

// behindName are the fields of /proc/pid/stat behind the second one, the name in brackets, which may hold blanks and
// brackets.
func behindName(stat []byte) [][]byte { return bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) }

// RSS is the resident memory of a process, in bytes.
func RSS(pid int) (int64, error) {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	return parseStatm(statm, int64(os.Getpagesize()))
}

// parseStatm reads the resident pages of /proc/pid/statm.
func parseStatm(statm []byte, page int64) (int64, error) {
	fields := bytes.Fields(statm)
	if len(fields) < 2 {
		return 0, fmt.Errorf("statm has %d fields: %q", len(fields), statm)
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("statm: %w", err)
	}
	return pages * page, nil
}

// Machine is this one in words, and the file system of dir, since a figure of a
// durable store means little without it.
func Machine(dir string) string {
	words := []string{fmt.Sprintf("%d cores", runtime.NumCPU())}
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		words[0] += " (" + parseModel(string(info)) + ")"
	}
	if info, err := os.ReadFile("/proc/meminfo"); err == nil {
		words = append(words, parseMemory(string(info)))
	}
	if mounts, err := os.ReadFile("/proc/self/mounts"); err == nil {
		words = append(words, parseFileSystem(string(mounts), dir))
	}
	return strings.Join(append(words, "loopback"), ", ")
}

// parseModel is the processor of /proc/cpuinfo.
func parseModel(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// parseMemory is the size of /proc/meminfo in GiB.
func parseMemory(meminfo string) string {
	var kib float64
	for line := range strings.Lines(meminfo) {
		if _, err := fmt.Sscanf(line, "MemTotal: %f kB", &kib); err == nil {
			break
		}
	}
	return fmt.Sprintf("%.0f GiB", kib/(1<<20))
}

// parseFileSystem is the type of the mount of /proc/self/mounts that holds dir.
func parseFileSystem(mounts, dir string) string {
	best, kind := "", "unknown"
	for line := range strings.Lines(mounts) {
		// device, where, type, …
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		where := fields[1]
		if within(dir, where) && len(where) >= len(best) {
			best, kind = where, fields[2]
		}
	}
	return kind
}

func within(dir, where string) bool {
	return where == "/" || dir == where || strings.HasPrefix(path.Clean(dir), where+"/")
}
