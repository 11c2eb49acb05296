package files

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/skein-im/skein"
)

// watched is a folder that counts how often files are opened, and runs a function before each Keep.
type watched struct {
	Folder

	opened *sync.Map // of name to *atomic.Int64
	before func(name string)
}

func (w watched) Open(ctx context.Context, name string) (io.ReadSeekCloser, Info, error) {
	n, _ := w.opened.LoadOrStore(name, new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
	return w.Folder.Open(ctx, name)
}

func (w watched) Keep(ctx context.Context, path, name string) error {
	if w.before != nil {
		w.before(name)
	}
	return w.Folder.Keep(ctx, path, name)
}

func (w watched) times(name string) int64 {
	n, ok := w.opened.Load(name)
	if !ok {
		return 0
	}
	return n.(*atomic.Int64).Load()
}

func pngOf(t *testing.T, w, h int) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = uint8(i)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// thumbnailing is a store with thumbnails in a watched folder. gone makes all files unknown.
func thumbnailing(t *testing.T, memory int64, before func(name string)) (s *Store, w watched, url string, gone *atomic.Bool) {
	t.Helper()
	dir := t.TempDir()
	w, gone = watched{Folder(dir), new(sync.Map), before}, new(atomic.Bool)
	s, err := Open(Options{
		Dir: dir, Storage: w, ThumbnailMemory: memory, Log: slog.New(slog.DiscardHandler),
		Find: func(context.Context, string) (skein.Upload, bool, error) {
			return skein.Upload{App: "shop"}, !gone.Load(), nil
		},
		Refuse: func(w http.ResponseWriter, _ *http.Request, err error) { http.Error(w, err.Error(), http.StatusTeapot) },
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(route+"{name}", s.Handler())
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return s, w, srv.URL + route, gone
}

// hidden are the files in the folder whose names begin with a dot.
func hidden(t *testing.T, w watched) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(string(w.Folder))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestAThumbnailIsMadeOnceForAllWhoAskAndGoesWithItsImage(t *testing.T) {
	const callers = 20
	s, w, url, _ := thumbnailing(t, 1<<20, nil)
	name := save(t, s, pngOf(t, 200, 100))
	var asking sync.WaitGroup
	for range callers {
		asking.Go(func() {
			res, body := call(t, "GET", url+name+"?w=100")
			config, format, err := image.DecodeConfig(strings.NewReader(body))
			if err != nil || res.StatusCode != 200 || format != "jpeg" || config.Width != 160 || config.Height != 80 || res.Header.Get("Content-Type") != "image/jpeg" {
				t.Errorf("got %s, %s of %d × %d, %v: %v; want a JPEG of 160 × 80", res.Status, format, config.Width, config.Height, res.Header, err)
			}
		})
	}
	asking.Wait()
	if n := w.times(name); n != 1 {
		t.Errorf("the image was read %d times for %d callers, want once", n, callers)
	}
	if res, part := call(t, "GET", url+name+"?w=160", "Range", "bytes=0-1"); res.StatusCode != 206 || part != "\xff\xd8" {
		t.Errorf("two bytes of a kept one: got %s, %q", res.Status, part)
	}
	if w.times(name) != 1 {
		t.Error("a kept thumbnail was made again")
	}
	if got := hidden(t, w); len(got) != 1 || got[0] != "."+name+"-160" {
		t.Errorf("beside the image: got %v", got)
	}
	if res, _ := call(t, "GET", url+"."+name+"-160"); res.StatusCode != 404 {
		t.Errorf("a thumbnail by its own name: got %s, want 404", res.Status)
	}
	if _, err := s.Remove(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	if got := hidden(t, w); len(got) > 0 {
		t.Errorf("after the removal of the image: got %v, want nothing", got)
	}
	if res, _ := call(t, "GET", url+name+"?w=160"); res.StatusCode != 404 {
		t.Errorf("of a removed image: got %s, want 404", res.Status)
	}
}

// The removal of an image cannot see a thumbnail that is kept after it.
func TestAThumbnailOfAnImageThatIsReleasedMeanwhileIsNotKept(t *testing.T) {
	var gone *atomic.Bool
	s, w, url, gone := thumbnailing(t, 1<<20, func(name string) {
		if strings.HasPrefix(name, ".") {
			gone.Store(true)
		}
	})
	name := save(t, s, pngOf(t, 10, 10))
	call(t, "GET", url+name+"?w=64")
	if got := hidden(t, w); !gone.Load() || len(got) > 0 {
		t.Errorf("released %v, kept %v; want nothing kept", gone.Load(), got)
	}
}

func TestWhyThereIsNoThumbnailIsSaid(t *testing.T) {
	s, w, url, _ := thumbnailing(t, 100*100, nil)
	whole := pngOf(t, 100, 100)
	good, large, broken := save(t, s, whole), save(t, s, pngOf(t, 101, 100)), save(t, s, whole[:len(whole)/2])
	text := save(t, s, []byte("a text"))
	video := save(t, s, samples(t)["mp4"][0].data)
	for what, tt := range map[string]struct {
		link   string
		status int
		says   string
	}{
		"the smallest":        {good + "?w=64", 200, ""},
		"the widest":          {good + "?w=1280", 200, ""},
		"too narrow":          {good + "?w=63", 418, "64 to 1280"},
		"too wide":            {good + "?w=1281", 418, "64 to 1280"},
		"no number":           {good + "?w=x", 418, "64 to 1280"},
		"an empty one":        {good + "?w=", 418, "64 to 1280"},
		"too large an image":  {large + "?w=64", 418, "too large"},
		"a broken image":      {broken + "?w=64", 418, "cannot be decoded"},
		"a video":             {video + "?w=64", 418, "this type"},
		"a text has no width": {text + "?w=64", 200, ""},
	} {
		if res, body := call(t, "GET", url+tt.link); res.StatusCode != tt.status || !strings.Contains(body, tt.says) {
			t.Errorf("%s: got %s %q, want %d %q", what, res.Status, body[:min(len(body), 200)], tt.status, tt.says)
		}
	}
	read := w.times(broken)
	call(t, "GET", url+broken+"?w=640")
	if w.times(broken) != read {
		t.Error("an image that cannot be decoded was read again")
	}
	none, _, url, _ := thumbnailing(t, 0, nil)
	if res, _ := call(t, "GET", url+save(t, none, whole)+"?w=64"); res.StatusCode != 418 {
		t.Errorf("of a server without thumbnails: got %s, want a refusal", res.Status)
	}
}
