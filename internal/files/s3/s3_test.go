package s3_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/files"
	"github.com/skein-im/skein/internal/files/filestest"
	"github.com/skein-im/skein/internal/files/s3"
	"github.com/skein-im/skein/internal/files/s3/s3test"
)

// realServer is the variable that names another server for the contract, as --uploads would,
// such as s3://bucket?endpoint=http://127.0.0.1:7070. Its credentials come from AWS_….
const realServer = "SKEIN_TEST_S3"

func options(t *testing.T, uploads string) s3.Options {
	t.Helper()
	u, err := url.Parse(uploads)
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := url.Parse(u.Query().Get("endpoint"))
	if err != nil {
		t.Fatal(err)
	}
	o := s3.Options{Bucket: u.Host, Endpoint: endpoint.Host, Plain: endpoint.Scheme == "http", Region: cmp.Or(u.Query().Get("region"), "us-east-1"), PathStyle: true}
	if prefix := strings.Trim(u.Path, "/"); prefix != "" {
		o.Prefix = prefix + "/"
	}
	return o
}

func open(t *testing.T, o s3.Options) *s3.Storage {
	t.Helper()
	s, err := s3.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// credentials are those of the environment for the rest of the test.
func credentials(t *testing.T, key, secret string) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", key)
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
}

func TestABucketIsAStorage(t *testing.T) {
	n := 0
	filestest.Run(t, func(t *testing.T) filestest.Fixture {
		t.Helper()
		n++
		uploads := os.Getenv(realServer)
		if uploads == "" {
			credentials(t, s3test.Key, s3test.Secret)
			uploads = s3test.Start(t).URL("")
		}
		o := options(t, uploads)
		o.Prefix += fmt.Sprintf("%d-%d/", time.Now().UnixNano(), n) // a real bucket keeps what earlier runs left
		return filestest.Fixture{One: open(t, o), Other: open(t, o), Staging: t.TempDir()}
	})
}

const name = "0123456789abcdef0123456789abcdef.png"

// fixture is a bucket with one file.
func fixture(t *testing.T, stall time.Duration, attempts int) (*s3test.Server, *s3.Storage, *prometheus.Registry) {
	t.Helper()
	credentials(t, s3test.Key, s3test.Secret)
	server, registry := s3test.Start(t), prometheus.NewRegistry()
	o := options(t, server.URL("im"))
	keep(t, open(t, o), name)
	o.Stall, o.Attempts, o.Registerer = stall, attempts, registry
	return server, open(t, o), registry
}

var content = bytes.Repeat([]byte("0123456789abcdef"), 1<<15) // 512 KiB

func staged(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "staged")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func keep(t *testing.T, s *s3.Storage, name string) {
	t.Helper()
	if err := s.Keep(t.Context(), staged(t), name); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, s *s3.Storage, name string) error {
	t.Helper()
	r, _, err := s.Open(t.Context(), name)
	if err != nil {
		return err
	}
	got, err := io.ReadAll(r)
	if err == nil && !bytes.Equal(got, content) {
		t.Errorf("read %d bytes of another content", len(got))
	}
	return errors.Join(err, r.Close())
}

// calls are all calls of a storage.
func calls(t *testing.T, s *s3.Storage) map[string]func() error {
	t.Helper()
	return map[string]func() error{
		"keep":   func() error { return s.Keep(t.Context(), staged(t), "a"+name[1:]) },
		"read":   func() error { return read(t, s, name) },
		"remove": func() error { _, err := s.Remove(t.Context(), name); return err },
		"walk":   func() error { return s.Walk(t.Context(), func([]skein.StoredFile) error { return nil }) },
		"check":  func() error { return s.Check(t.Context()) },
	}
}

// A server that fails is unavailable, which callers may retry, and what fails leaves nothing.
func TestAServerThatFailsIsUnavailable(t *testing.T) {
	for what, fault := range map[string]func(*s3test.Server) s3test.Fault{
		"it is gone":               func(*s3test.Server) s3test.Fault { return s3test.Gone },
		"it is gone midway":        func(*s3test.Server) s3test.Fault { return s3test.GoneMidway },
		"its answers are cut":      func(*s3test.Server) s3test.Fault { return s3test.AnswerCut },
		"its answers are lost":     func(*s3test.Server) s3test.Fault { return s3test.AnswerLost },
		"it never answers a thing": func(s *s3test.Server) s3test.Fault { return s.Silent },
	} {
		t.Run(what, func(t *testing.T) {
			server, s, _ := fixture(t, 100*time.Millisecond, 1)
			for call, run := range calls(t, s) {
				if bodiless := call == "keep" || call == "remove"; bodiless && what == "its answers are cut" {
					continue // there is no body to cut
				}
				server.Break("", fault(server))
				if err := run(); !errors.Is(err, skein.ErrUnavailable) || s3.Refused(err) {
					t.Errorf("%s: got %v, want %v", call, err, skein.ErrUnavailable)
				} else if strings.Contains(err.Error(), s3test.Secret) {
					t.Errorf("%s: %v names the secret", call, err)
				}
			}
		})
	}
}

// A PUT whose answer was lost stored the file; its uploader was told that it failed.
func TestAFileWhoseAnswerWasLostIsTakenBack(t *testing.T) {
	server, s, registry := fixture(t, 0, 0)
	other := "f" + name[1:]
	server.Break("PUT", s3test.AnswerLost)
	if err := s.Keep(t.Context(), staged(t), other); !errors.Is(err, skein.ErrUnavailable) {
		t.Errorf("keep: got %v, want %v", err, skein.ErrUnavailable)
	}
	server.Break("", nil)
	if err := read(t, s, other); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("then: got %v, want %v", err, fs.ErrNotExist)
	}
	if n := counted(t, registry, "skein_s3_failed_total", "keep"); n != 1 {
		t.Errorf("skein_s3_failed_total: got %v, want 1", n)
	}
}

func TestAnUploadThatIsCutMidwayLeavesNothing(t *testing.T) {
	server, s, _ := fixture(t, 0, 0)
	other := "f" + name[1:]
	server.Break("PUT", s3test.GoneMidway)
	if err := s.Keep(t.Context(), staged(t), other); !errors.Is(err, skein.ErrUnavailable) {
		t.Errorf("keep: got %v, want %v", err, skein.ErrUnavailable)
	}
	server.Break("", nil)
	if err := read(t, s, other); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("then: got %v, want %v", err, fs.ErrNotExist)
	}
	keep(t, s, other)
	if err := read(t, s, other); err != nil {
		t.Errorf("kept again: got %v", err)
	}
}

// A wrong setting is told apart from a server that is away, and from a file that is gone.
func TestARefusalIsNoMissingFile(t *testing.T) {
	credentials(t, s3test.Key, s3test.Secret)
	server := s3test.Start(t)
	good := options(t, server.URL("im"))
	keep(t, open(t, good), name)
	for what, change := range map[string]func(*s3.Options){
		"the bucket is missing": func(o *s3.Options) { o.Bucket = "another" },
		"the secret is wrong":   func(*s3.Options) { credentials(t, s3test.Key, "another") },
		"the key is unknown":    func(*s3.Options) { credentials(t, "AKIDOFANOTHER", s3test.Secret) },
	} {
		t.Run(what, func(t *testing.T) {
			credentials(t, s3test.Key, s3test.Secret)
			o := good
			change(&o)
			s := open(t, o)
			for call, run := range calls(t, s) {
				if err := run(); !errors.Is(err, skein.ErrUnavailable) || errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s: got %v, want %v", call, err, skein.ErrUnavailable)
				}
			}
			if err := s.Check(t.Context()); !s3.Refused(err) {
				t.Errorf("check: got %v, want a refusal", err)
			}
		})
	}
	credentials(t, s3test.Key, s3test.Secret)
	if err := read(t, open(t, good), name); err != nil {
		t.Errorf("then: got %v", err)
	}
}

// counted is the value of a counter for a call.
func counted(t *testing.T, r *prometheus.Registry, metric, call string) float64 {
	t.Helper()
	all, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range all {
		for _, m := range family.GetMetric() {
			if family.GetName() == metric && m.GetLabel()[0].GetValue() == call {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

var _ files.Storage = (*s3.Storage)(nil)
