package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// asRoot skips the test where it may not mount or trace, and says why.
func asRoot(t *testing.T, tools ...string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount and trace")
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%v; scripts/install.sh installs it", err)
		}
	}
}

// mounted is a folder with something mounted on it, until the test ends.
func mounted(t *testing.T, args ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if out, err := mount(dir, args...); err != nil {
		t.Skipf("mount %s: %v: %s", strings.Join(args, " "), err, out)
	}
	t.Cleanup(func() { unmountAtLast(t, dir) })
	return dir
}

func mount(dir string, args ...string) ([]byte, error) {
	return exec.Command("mount", append(args, dir)...).CombinedOutput()
}

// unmountAtLast unmounts at the end of the test, even if the disk is in use. Servers that were
// started after the mount have ended by then.
func unmountAtLast(t *testing.T, dir string) {
	if unix.Unmount(dir, unix.MNT_DETACH) == unix.EINVAL {
		return // nothing is mounted
	}
	if err := unix.Unmount(dir, unix.MNT_DETACH); err == nil {
		t.Errorf("%s was mounted twice", dir)
	}
}

// ramDisk mounts a file system of that many MiB.
func ramDisk(t *testing.T, size int) (dir string) {
	t.Helper()
	asRoot(t, "mount")
	return mounted(t, "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm,mode=0700", size), "tmpfs")
}

// disk is an ext4 file system in a file, so that it can lose its power.
type disk struct{ image, dir string }

func newDisk(t *testing.T) *disk {
	t.Helper()
	asRoot(t, "mount", "mkfs.ext4", "e2fsck")
	d := &disk{image: filepath.Join(t.TempDir(), "disk")}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(d.image, 128<<20); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", d.image).CombinedOutput(); err != nil {
		t.Fatalf("mkfs.ext4: %v: %s", err, out)
	}
	d.dir = mounted(t, "-o", "loop", d.image)
	return d
}

// shutdown is EXT4_IOC_SHUTDOWN; with withoutFlush not even the journal in memory
// gets to the disk.
const (
	shutdown     = 0x8004587d
	withoutFlush = 2
)

// cut cuts the power: data that is not on the disk now is lost, and from here on every write and
// sync fails.
func (d *disk) cut(t *testing.T) {
	t.Helper()
	f, err := os.Open(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.IoctlSetPointerInt(int(f.Fd()), shutdown, withoutFlush); err != nil {
		t.Fatalf("EXT4_IOC_SHUTDOWN: %v", err)
	}
}

// back gives the power back: the disk is mounted as after a start of the machine,
// and its own structure must be sound.
func (d *disk) back(t *testing.T) {
	t.Helper()
	d.unmount(t)
	d.mount(t) // replays the journal
	d.unmount(t)
	if out, err := exec.Command("e2fsck", "-fn", d.image).CombinedOutput(); err != nil {
		t.Fatalf("e2fsck: %v: %s", err, out)
	}
	d.mount(t)
}

func (d *disk) mount(t *testing.T) {
	t.Helper()
	if out, err := mount(d.dir, "-o", "loop", d.image); err != nil {
		t.Fatalf("mount %s: %v: %s", d.image, err, out)
	}
}

func (d *disk) unmount(t *testing.T) {
	t.Helper()
	eventually(t, "umount "+d.dir, func() bool { return unix.Unmount(d.dir, 0) == nil })
}

// uploads remembers the files that were answered, over restarts.
type uploads struct {
	ignore atomic.Bool // answers are ignored, as if none had come

	mu       sync.Mutex
	answered map[string][]byte // by link; guarded by mu
	refused  int               // with 5030; guarded by mu
	faults   []string          // guarded by mu
}

func newUploads() *uploads { return &uploads{answered: map[string][]byte{}} }

// keepOn uploads one file after another until the server is gone or stop is closed.
func (u *uploads) keepOn(t *testing.T, a *app, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		content := someText(1 + rand.IntN(128<<10))
		body, contentType := multipartBody(t, multipartFile{"file", "a.txt", content})
		ans, err := a.s.try("POST", "/im/file/upload", a.server().with(headers{"Content-Type": contentType}), body)
		if ans == nil {
			return // the connection broke: the server is gone
		}
		if u.book(ans, err, content) == 5030 {
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func (u *uploads) book(ans *answer, err error, content []byte) (code int) {
	if u.ignore.Load() {
		return 0
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case err != nil:
		u.faults = append(u.faults, err.Error())
	case ans.Code == 5030:
		u.refused++
	case ans.Code != 0:
		u.faults = append(u.faults, ans.String())
	default:
		u.answered[strings.Trim(string(ans.Data), `"`)] = content
	}
	return ans.Code
}

func (u *uploads) stored() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.answered)
}

func (u *uploads) refusals() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.refused
}

// check wants every file that was answered back, whole.
func (u *uploads) check(t *testing.T) {
	t.Helper()
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, f := range u.faults {
		t.Error(f)
	}
	u.faults = nil
	lost := 0
	for link, content := range u.answered {
		if res, body := fetch(t, link, nil); res.StatusCode != 200 || !bytes.Equal(body, content) {
			if lost++; lost <= 5 {
				t.Errorf("GET %s: %s, %d bytes; uploaded were %d", link, res.Status, len(body), len(content))
			}
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d uploads that were answered are lost or torn", lost, len(u.answered))
	}
}

// someText is text that no other file has.
func someText(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a' + byte(rand.IntN(26))
	}
	return b
}
