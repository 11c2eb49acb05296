package proc

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"syscall"
	"time"
)

// FamilyCPU is what a process and its children have used, user and system, with the children that have ended and that
// it waited for.
func FamilyCPU(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	total, err := parseTicks(stat, utime, stime, childrensUtime, childrensStime)
	if err != nil {
		return 0, err
	}
	return total, eachChild(pid, func(_ int, stat []byte) error {
		spent, err := parseStat(stat)
		total += spent
		return err
	})
}

// FamilyPSS is the memory of a process and its children. What several of them share is divided among them.
func FamilyPSS(pid int) (int64, error) {
	total, err := pss(pid)
	if err != nil {
		return 0, err
	}
	return total, eachChild(pid, func(child int, _ []byte) error {
		n, err := pss(child)
		if gone(err) {
			return nil
		}
		total += n
		return err
	})
}

// eachChild calls f with the id and /proc/pid/stat of every child that lives.
func eachChild(pid int, f func(child int, stat []byte) error) error {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		child, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue // no process
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child))
		if err != nil {
			continue // it has ended
		}
		if fields := behindName(stat); len(fields) < 2 || string(fields[1]) != strconv.Itoa(pid) {
			continue
		}
		if err := f(child, stat); err != nil {
			return err
		}
	}
	return nil
}

// pss reads the proportional size of a process.
func pss(pid int) (int64, error) {
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	return parsePSS(rollup)
}

func parsePSS(rollup []byte) (int64, error) {
	for line := range bytes.Lines(rollup) {
		if rest, found := bytes.CutPrefix(line, []byte("Pss:")); found {
			n, err := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte("kB")))), 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("smaps_rollup without Pss: %q", rollup)
}

func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) }
