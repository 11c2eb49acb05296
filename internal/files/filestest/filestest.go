// Package filestest holds every files.Storage to the same contract.
package filestest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/files"
)

// Fixture is an empty storage, as two nodes have it open.
type Fixture struct {
	One, Other files.Storage
	Staging    string // the directory in which complete files wait for Keep
}

// Run runs the suite. open is called for each test.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(t *testing.T, f Fixture)
	}{
		{"a kept file is read by every node as it was", kept},
		{"a file is read from any place", sought},
		{"an unknown file does not exist", unknown},
		{"a removed file is gone on every node", removed},
		{"files are discarded whether they are there or not", discarded},
		{"all files are listed and nothing else", walked},
		{"a walk ends with the first error", walkEnds},
		{"a file that is kept again stays whole", keptTwice},
		{"a call that is given up says so", givenUp},
		{"many files at once", many},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

// name is the nth name of a file.
func name(n int) string { return fmt.Sprintf("%032x.png", n) }

// keep stores content under a name.
func (f Fixture) keep(t *testing.T, s files.Storage, name string, content []byte) {
	t.Helper()
	if err := s.Keep(t.Context(), f.staged(t, content), name); err != nil {
		t.Fatalf("keep %s: %v", name, err)
	}
}

func (f Fixture) staged(t *testing.T, content []byte) string {
	t.Helper()
	file, err := os.CreateTemp(f.Staging, ".upload-*")
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.Write(content)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

func read(ctx context.Context, s files.Storage, name string) ([]byte, error) {
	r, info, err := s.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err == nil && (info.Size != int64(len(content)) || info.At.IsZero()) {
		err = fmt.Errorf("read %d bytes of %+v", len(content), info)
	}
	return content, err
}

// content is n bytes that repeat late.
func content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 31 >> (i % 7))
	}
	return b
}

func kept(t *testing.T, f Fixture) {
	for i, size := range []int{1, 100, 1 << 20, 17<<20 + 3} { // the last one is beyond the size of a part
		want := content(size)
		f.keep(t, f.One, name(i), want)
		for node, s := range map[string]files.Storage{"the same node": f.One, "another node": f.Other} {
			got, err := read(t.Context(), s, name(i))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, %s: got %d bytes, %v", size, node, len(got), err)
			}
		}
	}
	left, err := filepath.Glob(filepath.Join(f.Staging, ".upload-*"))
	for _, path := range left {
		_ = os.Remove(path) // Keep may leave it to its caller
	}
	if err != nil {
		t.Error(err)
	}
}

func sought(t *testing.T, f Fixture) {
	want := content(300_000)
	f.keep(t, f.One, name(1), want)
	r, info, err := f.Other.Open(t.Context(), name(1))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }() // opened only for reading
	for what, tt := range map[string]struct {
		offset int64
		whence int
		want   int64
	}{
		"the start":          {0, io.SeekStart, 0},
		"the middle":         {150_000, io.SeekStart, 150_000},
		"near the end":       {-7, io.SeekEnd, info.Size - 7},
		"the end":            {0, io.SeekEnd, info.Size},
		"one after the next": {1, io.SeekCurrent, -1},
	} {
		if tt.want < 0 {
			at, err := r.Seek(0, io.SeekCurrent)
			if err != nil {
				t.Fatal(err)
			}
			tt.want = min(at+1, info.Size+1)
		}
		at, err := r.Seek(tt.offset, tt.whence)
		if err != nil || at != tt.want {
			t.Fatalf("%s: got %d, %v, want %d", what, at, err, tt.want)
		}
		part := make([]byte, 5)
		n, err := io.ReadFull(r, part)
		rest := want[min(at, info.Size):]
		if !bytes.Equal(part[:n], rest[:min(5, len(rest))]) {
			t.Errorf("%s: got %v, %v, want %v", what, part[:n], err, rest[:min(5, len(rest))])
		}
	}
	if _, err := r.Seek(-1, io.SeekStart); err == nil {
		t.Error("before the start: got no error")
	}
}

func unknown(t *testing.T, f Fixture) {
	f.keep(t, f.One, name(1), content(10))
	if _, err := read(t.Context(), f.One, name(2)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want %v", err, fs.ErrNotExist)
	}
	if size, err := f.One.Remove(t.Context(), name(2)); size != 0 || err != nil {
		t.Errorf("remove: got %d, %v, want no error", size, err)
	}
	if err := f.One.Check(t.Context()); err != nil {
		t.Errorf("check: got %v", err)
	}
}

func removed(t *testing.T, f Fixture) {
	f.keep(t, f.One, name(1), content(10))
	f.keep(t, f.One, name(2), content(20))
	if size, err := f.Other.Remove(t.Context(), name(1)); size != 10 || err != nil {
		t.Errorf("got %d, %v, want 10 bytes", size, err)
	}
	for node, s := range map[string]files.Storage{"the same node": f.Other, "another node": f.One} {
		if _, err := read(t.Context(), s, name(1)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v, want %v", node, err, fs.ErrNotExist)
		}
	}
	if got, err := read(t.Context(), f.One, name(2)); err != nil || len(got) != 20 {
		t.Errorf("another file: got %d bytes, %v", len(got), err)
	}
}

func walked(t *testing.T, f Fixture) {
	var want []string
	for i := range 30 {
		f.keep(t, f.One, name(i), content(i+1))
		want = append(want, name(i))
	}
	f.keep(t, f.One, "notes.txt", content(3))
	f.staged(t, content(5))
	var got []string
	err := f.Other.Walk(t.Context(), func(stored []skein.StoredFile) error {
		for _, file := range stored {
			got = append(got, file.Name)
			if name(int(file.Size)-1) != file.Name || file.At <= 0 {
				t.Errorf("got %+v", file)
			}
		}
		return nil
	})
	slices.Sort(got)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v\nwant %v", got, err, want)
	}
}

func walkEnds(t *testing.T, f Fixture) {
	f.keep(t, f.One, name(1), content(1))
	enough := errors.New("enough")
	if err := f.One.Walk(t.Context(), func([]skein.StoredFile) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("got %v, want %v", err, enough)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.One.Walk(ctx, func([]skein.StoredFile) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v, want %v", err, context.Canceled)
	}
}

// An import that was cut short keeps the same file again.
func keptTwice(t *testing.T, f Fixture) {
	for _, s := range []files.Storage{f.One, f.Other} {
		f.keep(t, s, name(1), content(1000))
		if got, err := read(t.Context(), f.One, name(1)); err != nil || !bytes.Equal(got, content(1000)) {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
	}
}

func givenUp(t *testing.T, f Fixture) {
	f.keep(t, f.One, name(1), content(1000))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := read(ctx, f.One, name(1)); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v or the file", err, context.Canceled)
	}
	if err := f.One.Keep(ctx, f.staged(t, content(10)), name(2)); err == nil {
		return // a folder does not wait for anybody
	}
	if _, err := read(t.Context(), f.One, name(2)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file whose Keep was given up: got %v, want %v", err, fs.ErrNotExist)
	}
}

func many(t *testing.T, f Fixture) {
	var all sync.WaitGroup
	staged := make([]string, 40)
	for i := range staged {
		staged[i] = f.staged(t, content(i*1000+1))
	}
	for i, path := range staged {
		all.Go(func() {
			if err := f.One.Keep(t.Context(), path, name(i)); err != nil {
				t.Errorf("file %d: %v", i, err)
				return
			}
			if got, err := read(t.Context(), f.Other, name(i)); err != nil || !bytes.Equal(got, content(i*1000+1)) {
				t.Errorf("file %d: got %d bytes, %v", i, len(got), err)
			}
		})
	}
	all.Wait()
}

func discarded(t *testing.T, f Fixture) {
	hidden := "." + name(1) + "-320"
	f.keep(t, f.One, hidden, []byte("a thumbnail"))
	f.keep(t, f.One, name(1), []byte("a file"))
	if r, _, err := f.Other.Open(t.Context(), hidden); err != nil {
		t.Errorf("open %s: %v", hidden, err)
	} else {
		_ = r.Close()
	}
	for _, what := range []string{"there", "gone"} {
		if err := f.Other.Discard(t.Context(), []string{hidden, name(2), "." + name(1) + "-64"}); err != nil {
			t.Errorf("discard what is %s: %v", what, err)
		}
	}
	if _, _, err := f.One.Open(t.Context(), hidden); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open %s: got %v, want %v", hidden, err, fs.ErrNotExist)
	}
	if r, _, err := f.One.Open(t.Context(), name(1)); err != nil {
		t.Errorf("open %s, which was not discarded: %v", name(1), err)
	} else {
		_ = r.Close()
	}
}
