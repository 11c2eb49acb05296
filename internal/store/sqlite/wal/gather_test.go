package wal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"
	"pgregory.net/rapid"
)

var errBroken = errors.New("input/output error")

// memFile is a file in memory that writes down what is asked of it.
type memFile struct {
	vfs.File

	holds  []byte
	asked  []string
	broken bool // writes fail
}

func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	f.asked = append(f.asked, fmt.Sprintf("write %d at %d", len(p), off))
	if f.broken {
		return 0, errBroken
	}
	if end := int(off) + len(p); end > len(f.holds) {
		f.holds = append(f.holds, make([]byte, end-len(f.holds))...)
	}
	copy(f.holds[off:], p)
	return len(p), nil
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	f.asked = append(f.asked, "read")
	if off >= int64(len(f.holds)) {
		return 0, io.EOF
	}
	n := copy(p, f.holds[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) Truncate(size int64) error {
	f.asked = append(f.asked, "truncate")
	f.holds = append(f.holds, make([]byte, max(0, int(size)-len(f.holds)))...)[:size]
	return nil
}

func (f *memFile) Size() (int64, error) {
	f.asked = append(f.asked, "size")
	return int64(len(f.holds)), nil
}

func (f *memFile) Sync(vfs.SyncFlag) error {
	f.asked = append(f.asked, "sync")
	return nil
}

// Steps of a commit, on a log that holds 100 bytes.
var (
	put = func(n int, off int64) func(*File) error {
		return func(f *File) error { _, err := f.WriteAt(make([]byte, n), off); return err }
	}
	get = func(n int, off int64) func(*File) error {
		return func(f *File) error { _, err := f.ReadAt(make([]byte, n), off); return err }
	}
	synced = func(f *File) error { return f.Sync(vfs.SYNC_NORMAL) }
	sized  = func(f *File) error { _, err := f.Size(); return err }
	cut    = func(f *File) error { return f.Truncate(10) }
)

func TestWhatACommitWritesIsGathered(t *testing.T) {
	for name, tt := range map[string]struct {
		steps []func(*File) error
		want  []string
	}{
		"until it is synced": {
			[]func(*File) error{put(24, 100), put(40, 124), put(24, 164), put(40, 188), synced},
			[]string{"write 128 at 100", "sync"},
		},
		"until a write lies elsewhere": {
			[]func(*File) error{put(24, 100), put(40, 124), put(24, 50), put(40, 164), synced},
			[]string{"write 64 at 100", "write 24 at 50", "write 40 at 164", "sync"},
		},
		"until the same place is written again": {
			[]func(*File) error{put(24, 100), put(24, 100), synced},
			[]string{"write 24 at 100", "write 24 at 100", "sync"},
		},
		"until it is read": {
			[]func(*File) error{put(24, 100), get(4, 110), synced},
			[]string{"write 24 at 100", "read", "sync"},
		},
		"until a read ends in it": {
			[]func(*File) error{put(24, 100), get(4, 97), synced},
			[]string{"write 24 at 100", "read", "sync"},
		},
		"while what lies before it is read": {
			[]func(*File) error{put(24, 100), get(4, 96), put(40, 124), synced},
			[]string{"read", "write 64 at 100", "sync"},
		},
		"until the size is asked": {
			[]func(*File) error{put(24, 100), sized, synced},
			[]string{"write 24 at 100", "size", "sync"},
		},
		"until the log is cut": {
			[]func(*File) error{put(24, 100), cut, put(24, 124), synced},
			[]string{"write 24 at 100", "truncate", "write 24 at 124", "sync"},
		},
		"up to a bound": {
			[]func(*File) error{put(maxGathered-10, 100), put(10, maxGathered+90), put(1, maxGathered+100), synced},
			[]string{fmt.Sprintf("write %d at 100", maxGathered), fmt.Sprintf("write 1 at %d", maxGathered+100), "sync"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := &memFile{holds: make([]byte, 100)}
			log := &File{File: file}
			err := log.Gather(func() error { return runSteps(log, tt.steps) })
			if err != nil || !slices.Equal(file.asked, tt.want) {
				t.Errorf("got %q, %v, want %q", file.asked, err, tt.want)
			}
		})
	}
}

func runSteps(log *File, steps []func(*File) error) error {
	for _, step := range steps {
		if err := step(log); err != nil {
			return err
		}
	}
	return nil
}

func TestBetweenCommitsTheLogIsWrittenAtOnce(t *testing.T) {
	file := &memFile{}
	log := &File{File: file}
	no := errors.New("no")
	if err := log.Gather(func() error { return errors.Join(put(24, 0)(log), no) }); !errors.Is(err, no) {
		t.Fatalf("got error %v", err)
	}
	steps := []func(*File) error{put(24, 0), put(40, 24), get(4, 0)}
	if err := runSteps(log, steps); err != nil {
		t.Fatal(err)
	}
	if want := []string{"write 24 at 0", "write 40 at 24", "read"}; !slices.Equal(file.asked, want) {
		t.Fatalf("got %q, want %q: nothing of a commit that failed", file.asked, want)
	}
}

func TestAWriteOfTheLogThatFailsIsToldAndNotTriedAgain(t *testing.T) {
	for name, step := range map[string]func(*File) error{
		"by a sync":             synced,
		"by a read":             get(4, 110),
		"by the size":           sized,
		"by a cut":              cut,
		"by a write elsewhere":  put(24, 50),
		"by a write at a bound": put(maxGathered, 124),
	} {
		t.Run(name, func(t *testing.T) {
			file := &memFile{holds: make([]byte, 100), broken: true}
			log := &File{File: file}
			err := log.Gather(func() error {
				if err := put(24, 100)(log); err != nil {
					t.Fatal(err)
				}
				if err := step(log); err == nil || err.Error() != errBroken.Error() {
					t.Errorf("got error %v, want %v", err, errBroken)
				}
				file.broken, file.asked = false, nil
				return synced(log)
			})
			if want := []string{"sync"}; err != nil || !slices.Equal(file.asked, want) {
				t.Errorf("got %q, %v afterwards, want %q", file.asked, err, want)
			}
		})
	}
}

// Whatever is done with it, and whenever a commit begins and ends, a log that is
// gathered holds and answers what one that is not does. SQLite leaves no gaps in it.
func TestAGatheredLogIsTheLog(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := logPair{plain: &memFile{}, behind: &memFile{}}
		p.log = &File{File: p.behind}
		for range rapid.IntRange(1, 5).Draw(r, "commits") {
			for range rapid.IntRange(0, 3).Draw(r, "spilled") {
				p.step(r)
			}
			err := p.log.Gather(func() error {
				for range rapid.IntRange(0, 20).Draw(r, "written") {
					p.step(r)
				}
				return synced(p.log)
			})
			if err != nil || !bytes.Equal(p.behind.holds, p.plain.holds) {
				r.Fatalf("got %x, %v, want %x", p.behind.holds, err, p.plain.holds)
			}
		}
	})
}

// logPair is a log, the file behind it, and a file of which the same is asked.
type logPair struct {
	log    *File
	behind *memFile
	plain  *memFile
	next   int // the end of the last write
}

func (p *logPair) step(r *rapid.T) {
	end := len(p.plain.holds)
	anywhere := rapid.IntRange(0, end)
	switch rapid.IntRange(0, 9).Draw(r, "what") {
	case 0:
		want, got := make([]byte, 20), make([]byte, 20)
		off := int64(anywhere.Draw(r, "read at"))
		n, err := p.plain.ReadAt(want, off)
		if m, e := p.log.ReadAt(got, off); m != n || !errors.Is(e, err) || !bytes.Equal(got, want) {
			r.Fatalf("read at %d: got %x, %v, want %x, %v", off, got, e, want, err)
		}
	case 1:
		size := int64(anywhere.Draw(r, "cut to"))
		if err := errors.Join(p.plain.Truncate(size), p.log.Truncate(size)); err != nil {
			r.Fatal(err)
		}
	case 2:
		if got, err := p.log.Size(); got != int64(end) || err != nil {
			r.Fatalf("size: got %d, %v, want %d", got, err, end)
		}
	default:
		off := min(end, p.next) // mostly on and on
		if rapid.IntRange(0, 4).Draw(r, "elsewhere") == 0 {
			off = anywhere.Draw(r, "write at")
		}
		b := rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(r, "bytes")
		_, err := p.plain.WriteAt(b, int64(off))
		if n, e := p.log.WriteAt(b, int64(off)); n != len(b) || e != nil || err != nil {
			r.Fatal(n, e, err)
		}
		p.next = off + len(b)
		clear(b) // SQLite uses its memory again
	}
}
