package doctor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/datadir"
	"github.com/skein-im/skein/internal/files"
	"github.com/skein-im/skein/internal/store/sqlite/schema"
)

// smallStore is a store that is read whole within a second or two.
const smallStore = 256 << 20

// embedded judges an embedded store. A server may have it open.
func (e *examination) embedded(ctx context.Context, data string) {
	path := datadir.StoreFile(data)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		e.add("store", OK, "there is none in "+data+": the first server makes it", "")
		return
	}
	if err != nil {
		e.add("store", Fail, err.Error(), "run this as the server's user")
		return
	}
	e.judge("store permissions", info.Mode().Perm()&0o077 == 0, Fail, info.Mode().Perm().String(), "chmod 600: only the server's user may read messages; skein serve does it at its start")
	if log, err := os.Stat(path + "-wal"); err == nil {
		const long = 1 << 30
		e.judge("store log", log.Size() < long, Warn, fmt.Sprintf("%d MiB", log.Size()>>20), "look for `store cannot` in the log; a backup or export under way lets it grow too")
	}
	e.space("store disk", data)
	health, err := schema.Examine(ctx, path, info.Size() <= smallStore)
	switch {
	case err != nil:
		e.add("store", Fail, err.Error(), "docs/operations.md, When the disk fails")
	case health.Have != health.Newest:
		e.add("store", Warn, fmt.Sprintf("schema version %d, this skein has %d", health.Have, health.Newest), "make a backup and start a server of this version: it migrates the store")
	case health.Moving != "":
		e.add("store", Warn, "a migration to "+health.Moving+" is under way, or was given up", "end it, or skein migrate --cancel: every write notes a row for it")
	default:
		e.current = true
		e.add("store", OK, fmt.Sprintf("schema version %d, %d MiB", health.Have, info.Size()>>20), "")
	}
}

// Bounds of free space: below the part, or the bytes.
const (
	lowPart  = 10
	lowBytes = 1 << 30
)

// space checks the free space of a disk.
func (e *examination) space(check, dir string) {
	free, size, err := files.DiskSpace(dir)
	if err != nil || size == 0 {
		return // another machine's, or a system that does not tell
	}
	level := Warn
	if free < lowBytes/4 {
		level = Fail
	}
	e.judge(check, free > lowBytes && free > size/lowPart, level, fmt.Sprintf("%d MiB of %d free", free>>20, size>>20), "make room: docs/operations.md, A disk is full")
}

// Least that a server should have.
const (
	fewFiles  = 10_000
	aside     = 256 << 20 // memory beside the cache
	blockSize = 1 << 20
)

// machine checks the limits of this machine, or those of the server that runs on --data.
func (e *examination) machine(c config.Serve) {
	whose, most := "of this shell", openFiles()
	if pid := datadir.Holder(c.Data); pid != 0 {
		if n := filesOf(pid); n > 0 {
			whose, most = fmt.Sprintf("of the server, pid %d", pid), n
		}
	}
	e.judge("open files", most == 0 || most >= fewFiles, Warn, fmt.Sprintf("%d, %s", most, whose), "raise it (LimitNOFILE of systemd, ulimit -n): each socket takes one")
	if free := availableMemory(); free > 0 {
		need := int64(c.CacheMiB)*blockSize + aside
		e.judge("memory", datadir.Holder(c.Data) != 0 || free >= need, Warn, fmt.Sprintf("%d MiB available", free>>20), "lower --cache-mib, or give the machine more: a server takes the cache, 256 MiB and about 30 KiB a socket")
	}
}

// filesOf is how many files a process may have open; zero: unknown.
func filesOf(pid int) int {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
			if fields := strings.Fields(rest); len(fields) > 0 {
				n, _ := strconv.Atoi(fields[0])
				return n
			}
		}
	}
	return 0
}

// availableMemory is what a process could take; zero: unknown.
func availableMemory() int64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close() //nolint:errcheck // opened only for reading
	for s := bufio.NewScanner(f); s.Scan(); {
		if fields := strings.Fields(s.Text()); len(fields) > 1 && fields[0] == "MemAvailable:" {
			n, _ := strconv.ParseInt(fields[1], 10, 64)
			return n << 10
		}
	}
	return 0
}

// uploads writes a file and reads it back. The files of other machines tell whether the folder is shared, and how
// their clocks went.
func (e *examination) uploads(ctx context.Context, c config.Serve) {
	if bucket, ok := datadir.Bucket(c.Store); ok {
		e.bucket(ctx, c.Store, bucket)
		return
	}
	dir := datadir.UploadsOf(c.Store)
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) && c.Uploads == "" {
		e.add("uploads", OK, "there is no folder yet: the first server makes it", "")
		return
	}
	if err != nil {
		e.add("uploads", Fail, err.Error(), "make the folder, or mount it")
		return
	}
	host, _ := os.Hostname()
	if err := leave(dir, host, e.clock); err != nil {
		e.add("uploads", Fail, err.Error(), "let the server's user write to the folder")
		return
	}
	e.judge("uploads permissions", info.Mode().Perm()&0o007 == 0, Warn, info.Mode().Perm().String(), "chmod o= the folder: other users of this machine can read the files")
	if !c.SeveralNodes() {
		_ = os.Remove(filepath.Join(dir, seen+host)) // nobody else looks for it
		e.add("uploads", OK, dir+" can be written", "")
		return
	}
	if c.Uploads == "" {
		e.add("uploads", Fail, "--bus without --uploads", "name a folder that all nodes reach")
		return
	}
	all := notes(dir)
	e.add("uploads", OK, fmt.Sprintf("%s can be written; the doctor ran here on %s; after it ran on each node, all of them must be named", dir, strings.Join(slices.Sorted(maps.Keys(all)), ", ")), "")
	e.peers(host, all)
	e.space("uploads disk", dir)
}
