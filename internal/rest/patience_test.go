package rest

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// timed is an answer that notes what was written under which deadline.
type timed struct {
	*httptest.ResponseRecorder

	deadline time.Time
	written  []int
	fail     error
}

func (w *timed) SetWriteDeadline(t time.Time) error {
	w.deadline = t
	return nil
}

func (w *timed) Write(b []byte) (int, error) {
	if w.fail != nil {
		return 0, w.fail
	}
	if time.Until(w.deadline) < stall-10*time.Second {
		return 0, errors.New("written without time")
	}
	w.written = append(w.written, len(b))
	return w.ResponseRecorder.Write(b)
}

// ReadFrom takes a piece at once, as the kernel does: no deadline moves meanwhile.
func (w *timed) ReadFrom(src io.Reader) (int64, error) {
	b, err := io.ReadAll(src)
	if err != nil {
		return 0, err
	}
	n, err := w.Write(b)
	w.deadline = time.Time{}
	return int64(n), err
}

// patient is a server's patience around a handler.
func patient(h http.Handler) http.Handler {
	limits := Limits{}.withDefaults()
	return (&Server{opts: Options{Limits: limits}, held: newHeld(limits)}).patient(h)
}

func TestADownloadHasTimeForEachPiece(t *testing.T) {
	const size = 3*piece + 7
	name := filepath.Join(t.TempDir(), "x.txt")
	if err := os.WriteFile(name, []byte(strings.Repeat("x", size)), 0o600); err != nil {
		t.Fatal(err)
	}
	serve := patient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, name) }))
	w := &timed{ResponseRecorder: httptest.NewRecorder()}
	serve.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/x.txt", nil))
	if len(w.written) != 4 || w.Body.Len() != size {
		t.Errorf("written %v, %d bytes in all, want %d in pieces of at most %d", w.written, w.Body.Len(), size, piece)
	}
	for _, n := range w.written {
		if n > piece {
			t.Errorf("%d bytes had one time, want at most %d", n, piece)
		}
	}
	w = &timed{ResponseRecorder: httptest.NewRecorder(), fail: os.ErrDeadlineExceeded}
	serve.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/x.txt", nil))
	if len(w.written) != 0 {
		t.Errorf("went on with %v after a write failed", w.written)
	}
}

func TestShortWritesAreTimedToo(t *testing.T) {
	w := &timed{ResponseRecorder: httptest.NewRecorder()}
	patient(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, err := io.Copy(w, strings.NewReader("short"))
		if err != nil {
			t.Errorf("got error %v", err)
		}
	})).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Body.String() != "short" {
		t.Errorf("written %q", w.Body)
	}
}
