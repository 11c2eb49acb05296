package proc

import (
	"os"
	"testing"
	"time"
)

func TestStatIsReadBehindTheName(t *testing.T) {
	const rest = " S 1 2 2 0 -1 4194560 100 0 0 0 250 75 0 0 20 0 8 0 12345 1000000 500 18446744073709551615"
	for name, stat := range map[string]string{
		"a plain name":                    "42 (skein)" + rest,
		"a name with a blank":             "42 (my skein)" + rest,
		"a name with brackets and digits": "42 (a) S 9 (9)" + rest,
	} {
		if got, err := parseStat([]byte(stat)); err != nil || got != 3250*time.Millisecond {
			t.Errorf("%s: got %v, %v, want 3.25s", name, got, err)
		}
	}
}

func TestStatThatIsNoneIsRefused(t *testing.T) {
	for _, stat := range []string{"", "42 (skein) S 1 2", "42 (skein) S 1 2 2 0 -1 4194560 100 0 0 0 many 75 0"} {
		if got, err := parseStat([]byte(stat)); err == nil {
			t.Errorf("%q: got %v, want an error", stat, got)
		}
	}
}

func TestStatmIsReadInPages(t *testing.T) {
	if got, err := parseStatm([]byte("5000 300 200 10 0 400 0\n"), 4096); err != nil || got != 300*4096 {
		t.Errorf("got %d, %v, want %d", got, err, 300*4096)
	}
	for _, statm := range []string{"", "5000", "5000 many"} {
		if got, err := parseStatm([]byte(statm), 4096); err == nil {
			t.Errorf("%q: got %d, want an error", statm, got)
		}
	}
}

func TestThisProcessUsesMemory(t *testing.T) {
	if _, err := os.Stat("/proc/self/statm"); err != nil {
		t.Skip("no /proc here")
	}
	if got, err := RSS(os.Getpid()); err != nil || got < 1<<20 {
		t.Errorf("got %d bytes, %v", got, err)
	}
}

func TestTheMachineIsTold(t *testing.T) {
	if got := parseModel("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n"); got != "Some CPU @ 2 GHz" {
		t.Errorf("model: got %q", got)
	}
	if got := parseMemory("MemTotal:       25165824 kB\nMemFree: 1 kB\n"); got != "24 GiB" {
		t.Errorf("memory: got %q, want 24 GiB", got)
	}
	const mounts = "/dev/sda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/sdb /tmp/store xfs rw 0 0\nbroken\n"
	for dir, want := range map[string]string{"/home/x": "ext4", "/tmp": "tmpfs", "/tmp/a": "tmpfs", "/tmpfoo": "ext4", "/tmp/store/a": "xfs"} {
		if got := parseFileSystem(mounts, dir); got != want {
			t.Errorf("file system of %s: got %s, want %s", dir, got, want)
		}
	}
}
