package proc

import (
	"os"
	"os/exec"
	"testing"
)

func TestChildrenThatHaveEndedAreCounted(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc here")
	}
	before, err := FamilyCPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := exec.CommandContext(t.Context(), "sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done").Run(); err != nil {
		t.Fatal(err)
	}
	own, err := CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if after, err := FamilyCPU(os.Getpid()); err != nil || after <= before || after <= own {
		t.Errorf("a child that worked has ended: got %v after %v, %v; want more, and more than the %v of the process alone", after, before, err, own)
	}
}

func TestTheProportionalSizeIsRead(t *testing.T) {
	if got, err := parsePSS([]byte("55d000-7ffc000 ---p 00000000 00:00 0 [rollup]\nRss:    900 kB\nPss:     300 kB\nPss_Dirty: 7 kB\n")); err != nil || got != 300<<10 {
		t.Errorf("got %d, %v, want %d", got, err, 300<<10)
	}
	if got, err := parsePSS([]byte("Rss: 900 kB\n")); err == nil {
		t.Errorf("no Pss: got %d, want an error", got)
	}
}
