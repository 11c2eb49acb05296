package files

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/skein-im/skein"
)

func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(Options{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// names are the names in a folder, hidden ones too.
func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestSaveKeepsEveryDefaultTypeAsItIs(t *testing.T) {
	s := open(t, t.TempDir())
	all := samples(t)
	for _, ext := range DefaultTypes {
		for _, sample := range all[ext] {
			name, err := s.Save(t.Context(), bytes.NewReader(sample.data), nil, 0)
			if err != nil || !namePattern.MatchString(name) || !strings.HasSuffix(name, "."+ext) {
				t.Errorf("%s %s: got %q, %v", ext, sample.what, name, err)
				continue
			}
			if got, err := os.ReadFile(filepath.Join(s.dir, name)); err != nil || !bytes.Equal(got, sample.data) {
				t.Errorf("%s %s: kept %d bytes, want %d (%v)", ext, sample.what, len(got), len(sample.data), err)
			}
		}
	}
}

func TestSaveHoldsToTheListOfTypes(t *testing.T) {
	all := samples(t)
	for name, tt := range map[string]struct {
		data  []byte
		types []string
		want  error
	}{
		"what is listed comes in":                       {all["pdf"][0].data, []string{"pdf"}, nil},
		"what is not listed does not":                   {all["png"][0].data, []string{"pdf"}, skein.ErrFileType},
		"an empty list takes nothing":                   {all["png"][0].data, []string{}, skein.ErrFileType},
		"beyond the default only where listed":          {all["flac"][0].data, nil, skein.ErrFileType},
		"beyond the default where listed":               {all["flac"][0].data, []string{"flac"}, nil},
		"a document is not let in as an archive":        {all["docx"][0].data, []string{"zip"}, skein.ErrFileType},
		"nor an archive as a document":                  {all["zip"][0].data, []string{"docx"}, skein.ErrFileType},
		"a page is refused though listed":               {refusals["a page"], []string{"html", "htm", "txt"}, skein.ErrFileType},
		"an SVG is refused though listed":               {refusals["an SVG"], []string{"svg", "xml"}, skein.ErrFileType},
		"a script is refused though listed":             {refusals["a shell script"], []string{"sh", "txt"}, skein.ErrFileType},
		"a program is refused though listed":            {refusals["a Windows program"], []string{"exe"}, skein.ErrFileType},
		"an archive that runs is refused though listed": {zipOf(t, "META-INF/MANIFEST.MF"), []string{"jar", "zip"}, skein.ErrFileType},
	} {
		dir := t.TempDir()
		_, err := open(t, dir).Save(t.Context(), bytes.NewReader(tt.data), tt.types, 0)
		if !errors.Is(err, tt.want) || tt.want == nil && err != nil {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
		if left := names(t, dir); err != nil && len(left) > 0 {
			t.Errorf("%s: refused, but left %q", name, left)
		}
	}
}

func TestSaveHoldsToTheLimitToTheByte(t *testing.T) {
	for name, tt := range map[string]struct {
		size, limit int64
		want        error
	}{
		"nothing":                         {0, 10, skein.ErrMalformed},
		"at the limit":                    {10, 10, nil},
		"one byte over":                   {11, 10, skein.ErrTooLarge},
		"at a limit past what is sniffed": {sniffed + 10, sniffed + 10, nil},
		"one byte over it":                {sniffed + 11, sniffed + 10, skein.ErrTooLarge},
		"at a limit of what is sniffed":   {sniffed, sniffed, nil},
		"one byte over that":              {sniffed + 1, sniffed, skein.ErrTooLarge},
		"one byte over the default":       {100<<20 + 1, 0, skein.ErrTooLarge},
	} {
		dir := t.TempDir()
		_, err := open(t, dir).Save(t.Context(), letters(tt.size), nil, tt.limit)
		if !errors.Is(err, tt.want) || tt.want == nil && err != nil {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
		var fault *skein.Fault
		if err != nil && (!errors.As(err, &fault) || fault.Field != "file") {
			t.Errorf("%s: %v does not name the file", name, err)
		}
		if left := names(t, dir); err != nil && len(left) > 0 {
			t.Errorf("%s: left %q", name, left)
		}
	}
}

// letters is a text of size bytes that is made as it is read.
func letters(size int64) io.Reader { return io.LimitReader(lettersWithoutEnd{}, size) }

type lettersWithoutEnd struct{}

func (lettersWithoutEnd) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func TestSaveReadsWhatComesInPieces(t *testing.T) {
	s := open(t, t.TempDir())
	data := samples(t)["docx"][1].data
	name, err := s.Save(t.Context(), iotest.DataErrReader(iotest.HalfReader(bytes.NewReader(data))), nil, 0)
	if err != nil || !strings.HasSuffix(name, ".docx") {
		t.Fatalf("got %q, %v; want a docx", name, err)
	}
	if got, _ := os.ReadFile(filepath.Join(s.dir, name)); !bytes.Equal(got, data) {
		t.Errorf("kept %d bytes, want the same %d", len(got), len(data))
	}
}

// cut is a reader that brings good bytes, and then does something and fails.
type cut struct {
	good io.Reader
	then func() error
}

func (c cut) Read(p []byte) (int, error) {
	n, err := c.good.Read(p)
	if err == io.EOF {
		return n, c.then()
	}
	return n, err
}

func TestWhatIsCutShortLeavesNothing(t *testing.T) {
	lost := errors.New("peer is gone")
	for name, size := range map[string]int64{"in the first bytes": 100, "in the middle": 5 * sniffed} {
		dir := t.TempDir()
		_, err := open(t, dir).Save(t.Context(), cut{letters(size), func() error { return lost }}, nil, 0)
		if !errors.Is(err, lost) {
			t.Errorf("reader fails %s: got %v, want %v", name, err, lost)
		}
		ctx, cancel := context.WithCancel(t.Context())
		_, cancelled := open(t, dir).Save(ctx, cut{letters(size), func() error { cancel(); return nil }}, nil, 0)
		if !errors.Is(cancelled, context.Canceled) {
			t.Errorf("context ends %s: got %v, want %v", name, cancelled, context.Canceled)
		}
		if left := names(t, dir); len(left) > 0 {
			t.Errorf("%s: left %q", name, left)
		}
	}
}

func TestAFaultKeepsItsMeaning(t *testing.T) {
	tooLarge := skein.About(skein.ErrTooLarge, "file")
	_, err := open(t, t.TempDir()).Save(t.Context(), iotest.ErrReader(tooLarge), nil, 0)
	if !errors.Is(err, skein.ErrTooLarge) {
		t.Errorf("got %v, want what the reader said: %v", err, tooLarge)
	}
}

func TestADiskThatFailsIsUnavailable(t *testing.T) {
	gone := t.TempDir()
	s := open(t, gone)
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(t.Context(), letters(10), nil, 0); !errors.Is(err, skein.ErrUnavailable) {
		t.Errorf("without its folder: got %v, want %v", err, skein.ErrUnavailable)
	}

	vanishing := filepath.Join(t.TempDir(), "uploads")
	s = open(t, vanishing)
	r := cut{letters(5 * sniffed), func() error { os.RemoveAll(vanishing); return io.EOF }}
	if _, err := s.Save(t.Context(), r, nil, 0); !errors.Is(err, skein.ErrUnavailable) {
		t.Errorf("its folder is lost on the way: got %v, want %v", err, skein.ErrUnavailable)
	}

	s = open(t, t.TempDir())
	s.rand = iotest.ErrReader(io.ErrUnexpectedEOF)
	if _, err := s.Save(t.Context(), letters(10), nil, 0); !errors.Is(err, skein.ErrUnavailable) {
		t.Errorf("without chance: got %v, want %v", err, skein.ErrUnavailable)
	}
	if left := names(t, s.dir); len(left) > 0 {
		t.Errorf("without chance: left %q", left)
	}
}

func TestAFullDiskIsUnavailableAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("mounting takes a privilege: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, 0) })
	s := open(t, dir)
	if _, err := s.Save(t.Context(), letters(1<<20), nil, 0); !errors.Is(err, skein.ErrUnavailable) {
		t.Errorf("got %v, want %v", err, skein.ErrUnavailable)
	}
	if left := names(t, dir); len(left) > 0 {
		t.Errorf("left %q", left)
	}
	if _, err := s.Save(t.Context(), letters(1000), nil, 0); err != nil {
		t.Errorf("a small file has room again: got %v", err)
	}
}

func TestOpenMakesItsFolderAndClearsIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "uploads")
	s := open(t, dir)
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("folder: got %v, %v; want 0700", info, err)
	}
	name, err := s.Save(t.Context(), letters(10), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, leftover := range []string{".upload-1234", ".upload-"} {
		if err := os.WriteFile(filepath.Join(dir, leftover), []byte("half a fi"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open(t, dir)
	if left := names(t, dir); len(left) != 1 || left[0] != name {
		t.Errorf("after another Open: got %q, want %q alone", left, name)
	}
}

// In a folder that nodes share, an unfinished upload may be another node's.
func TestASharedFolderKeepsUploadsThatAnotherNodeMayBeWriting(t *testing.T) {
	dir := t.TempDir()
	for name, age := range map[string]time.Duration{".upload-running": time.Minute, ".upload-left": 2 * leftoverAge} {
		path, at := filepath.Join(dir, name), time.Now().Add(-age)
		if err := errors.Join(os.WriteFile(path, []byte("half a fi"), 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(Options{Dir: dir, Shared: true}); err != nil {
		t.Fatal(err)
	}
	if left := names(t, dir); len(left) != 1 || left[0] != ".upload-running" {
		t.Errorf("after Open: got %q, want the running one alone", left)
	}
}

func TestManySaveAtOnce(t *testing.T) {
	s := open(t, t.TempDir())
	const savers, each = 8, 20
	all := samples(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]bool{}
	for i := range savers {
		wg.Go(func() {
			for j := range each {
				data := all[DefaultTypes[(i+j)%len(DefaultTypes)]][0].data
				name, err := s.Save(t.Context(), bytes.NewReader(data), nil, 0)
				if err != nil {
					t.Errorf("saver %d, file %d: %v", i, j, err)
					return
				}
				if got, _ := os.ReadFile(filepath.Join(s.dir, name)); !bytes.Equal(got, data) {
					t.Errorf("saver %d, file %d: kept %d bytes, want %d", i, j, len(got), len(data))
				}
				mu.Lock()
				seen[name] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(seen) != savers*each || len(names(t, s.dir)) != savers*each {
		t.Errorf("got %d names and %d files, want %d of each", len(seen), len(names(t, s.dir)), savers*each)
	}
}

// TestMemoryDoesNotGrowWithTheFile also shows that a file at the default limit is taken.
func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	s := open(t, t.TempDir())
	allocated := func(size int64) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := s.Save(t.Context(), letters(size), nil, 0); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	small, large := allocated(1<<20), allocated(100<<20)
	if large > small+256<<10 {
		t.Errorf("100 MiB took %d bytes of memory, 1 MiB took %d", large, small)
	}
}

func BenchmarkSave(b *testing.B) {
	s := open(b, b.TempDir())
	data := samples(b)["png"][0].data
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Save(b.Context(), bytes.NewReader(data), nil, 0); err != nil {
			b.Fatal(err)
		}
	}
}
