package e2e

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/child"
)

// patience is how long a test waits for a thing that is to happen. It bounds despair, on a
// machine that may be ten times slower than this one. It is never part of what a test
// asserts, and a pass does not take it.
const patience = time.Minute

var (
	program string // the built server
	tempDir string // of the package; removed at the end
)

// atOnce is how many parallel tests run at a time: most of them wait most of
// the time, for a timer of the server or for its disk.
const atOnce = "8"

func TestMain(m *testing.M) {
	if err := ownMounts(); err != nil {
		panic(err)
	}
	flag.Parse()
	if err := flag.Set("test.parallel", atOnce); err != nil {
		panic(err)
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "skein-e2e-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	tempDir = dir
	if program = os.Getenv("SKEIN_E2E_BIN"); program == "" {
		program = filepath.Join(dir, "skein")
		args := []string{"build", "-o", program}
		if os.Getenv("SKEIN_E2E_RACE") == "1" {
			args = append(args, "-race")
		}
		build := exec.Command("go", append(args, "./cmd/skein")...)
		build.Dir = ".."
		if out, err := build.CombinedOutput(); err != nil {
			return 1, fmt.Errorf("go build ./cmd/skein: %w\n%s", err, out)
		}
	}
	if err := contract.load("../api"); err != nil {
		return 1, err
	}
	code := m.Run()
	endSharedBrowser()
	databases.Stop()
	if err := contract.verdict(); err != nil {
		return 1, err
	}
	for _, s := range []*sharedServer{&devServer, &strictServer} {
		if err := s.end(); err != nil {
			return 1, err
		}
	}
	return code, nil
}

// server is one running skein process and what is needed to run it again.
type server struct {
	Addr  string // host:port of the public address
	Admin string // host:port of the admin address
	Data  string // the data directory
	args  []string
	env   []string
	files int // that the process may have open; zero: as many as the tests
	log   *logBuffer
	cmd   *exec.Cmd
	done  <-chan struct{} // closed when the process has ended
	calls atomic.Int64

	umask   bool                  // started with a umask that takes nothing away
	probeBy func(path string) int // how readiness is asked; nil: by a bare GET
}

type option func(*server)

// withArgs adds flags to `skein serve`.
func withArgs(args ...string) option {
	return func(s *server) { s.args = append(s.args, args...) }
}

// withOpenFiles bounds the files that the server may have open.
func withOpenFiles(n int) option { return func(s *server) { s.files = n } }

// withoutDev starts the server without --dev: no demo app.
func withoutDev() option {
	return func(s *server) {
		s.args = slices.DeleteFunc(s.args, func(a string) bool { return a == "--dev" })
	}
}

// withData uses a data directory that is there already.
func withData(dir string) option { return func(s *server) { s.Data = dir } }

// start runs `skein serve --dev` on free ports with a data directory of its own
// and returns when it is ready. The server ends with the test, and its log is
// shown when the test fails.
func start(t *testing.T, opts ...option) *server {
	t.Helper()
	s := newServer(t.TempDir(), opts...)
	if err := s.launch(); err != nil {
		t.Fatalf("start: %v\n%s", err, s.log.tail(0))
	}
	t.Cleanup(func() {
		s.end()
		s.inspect(t, 0)
	})
	return s
}

func newServer(data string, opts ...option) *server {
	s := &server{Data: data, args: []string{"--dev"}, log: &logBuffer{}}
	for _, o := range opts {
		o(s)
	}
	return s
}

// setting is what the server's environment sets.
func (s *server) setting(name string) (value string) {
	for _, kv := range s.env {
		if k, v, _ := strings.Cut(kv, "="); k == name {
			value = v
		}
	}
	return value
}

// launch starts the process and waits until /readyz says yes.
func (s *server) launch() error {
	if s.Addr == "" {
		s.Addr, s.Admin = freeAddr(), freeAddr()
	}
	args := append([]string{"serve", "--addr", s.Addr, "--admin-addr", s.Admin, "--data", s.Data}, s.args...)
	s.cmd = exec.Command(program, args...)
	if s.umask {
		s.cmd = exec.Command("sh", append([]string{"-c", `umask 0; exec "$0" "$@"`, program}, args...)...)
	}
	if s.files > 0 {
		s.cmd = exec.Command("sh", append([]string{"-c", fmt.Sprintf(`ulimit -n %d; exec "$0" "$@"`, s.files), program}, args...)...)
	}
	s.cmd.Env = append(cleanEnv(), s.env...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	cmd := s.cmd
	done, err := child.Start(cmd, syscall.SIGKILL, nil) // it must not outlive a test binary that was killed
	if err != nil {
		return err
	}
	s.done = done
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		select {
		case <-done:
			return fmt.Errorf("skein %s: exited with %d before it was ready", strings.Join(args, " "), cmd.ProcessState.ExitCode())
		default:
		}
		if s.ready() {
			return nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	return fmt.Errorf("skein %s: not ready in %v", strings.Join(args, " "), patience)
}

// runToEnd runs a command that ends when this process does. An error says how it ended.
func runToEnd(cmd *exec.Cmd) error {
	ended, err := child.Start(cmd, syscall.SIGKILL, nil)
	if err != nil {
		return err
	}
	if <-ended; !cmd.ProcessState.Success() {
		return errors.New(cmd.ProcessState.String())
	}
	return nil
}

// ready reports whether /readyz says yes.
func (s *server) ready() bool {
	if s.probeBy != nil {
		return s.probeBy("/readyz") == http.StatusOK
	}
	status, _ := s.probe("/readyz")
	return status == http.StatusOK
}

// probe is the HTTP status of a bare GET without any header of ours; zero when
// nobody answers.
func (s *server) probe(path string) (status int, body []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url(path), nil)
	if err != nil {
		return 0, nil
	}
	req.Close = true
	res, err := probeClient.Do(req)
	if err != nil {
		return 0, nil
	}
	defer res.Body.Close()
	var b bytes.Buffer
	_, _ = b.ReadFrom(res.Body)
	return res.StatusCode, b.Bytes()
}

var probeClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func (s *server) url(path string) string { return "http://" + s.Addr + path }

// Kill ends the process with SIGKILL.
func (s *server) Kill(t *testing.T) {
	t.Helper()
	s.end()
	httpClient.CloseIdleConnections()
}

// Term sends SIGTERM and does not wait.
func (s *server) Term(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("SIGTERM: %v", err)
	}
}

// Wait waits for the process to end and returns its exit code; -1 for a signal.
func (s *server) Wait(t *testing.T, limit time.Duration) int {
	t.Helper()
	select {
	case <-s.done:
		return s.cmd.ProcessState.ExitCode()
	case <-time.After(limit):
		t.Fatalf("the server still runs %v after it was told to end\n%s", limit, s.log.tail(0))
		return 0
	}
}

// Stop ends the process with SIGTERM and expects exit code 0.
func (s *server) Stop(t *testing.T) {
	t.Helper()
	s.Term(t)
	if code := s.Wait(t, 2*patience); code != 0 {
		t.Fatalf("exit code after SIGTERM: got %d, want 0\n%s", code, s.log.tail(0))
	}
	httpClient.CloseIdleConnections()
}

// Restart runs the server again on the same data and ports.
func (s *server) Restart(t *testing.T) {
	t.Helper()
	if err := s.launch(); err != nil {
		t.Fatalf("restart: %v\n%s", err, s.log.tail(0))
	}
}

// end kills the process if it runs.
func (s *server) end() {
	if s.cmd == nil || s.done == nil {
		return
	}
	select {
	case <-s.done:
	default:
		_ = s.cmd.Process.Kill()
		<-s.done
	}
}

// inspect fails the test for what no log may hold, and shows the log from the
// byte position on when the test has failed.
func (s *server) inspect(t *testing.T, from int) {
	t.Helper()
	if m := s.log.disaster(from); m != "" {
		t.Errorf("the server's log holds %q", m)
	}
	if t.Failed() {
		t.Logf("log of the server on %s:\n%s", s.Addr, s.log.tail(from))
	}
}

// skein runs a subcommand of the binary to its end.
func skein(t *testing.T, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	return runProgram(t, program, args...)
}

func runProgram(t *testing.T, program string, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 6*patience)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = cleanEnv()
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var code *exec.ExitError
	if err != nil && !errors.As(err, &code) {
		t.Fatalf("%s %s: %v", program, strings.Join(args, " "), err)
	}
	if ctx.Err() != nil {
		t.Fatalf("%s %s: does not end\n%s%s", program, strings.Join(args, " "), out.String(), errs.String())
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// cleanEnv is the environment without anything that would configure the server
// or send loopback calls through a proxy.
func cleanEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool {
		k, _, _ := strings.Cut(kv, "=")
		k = strings.ToUpper(k)
		return strings.HasPrefix(k, "SKEIN_") || strings.HasSuffix(k, "_PROXY")
	})
}

var handedOut sync.Map // ports that freeAddr has answered

// freeAddr is an address where nobody listens, and no two calls answer the same: of
// two servers at one address the second would fail to start and be taken for ready,
// since the first answers for it. Its port is none of those that the kernel gives to
// connections and to other tests that listen meanwhile.
func freeAddr() string {
	const first, end = 20_000, 32_768
	for {
		addr := fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(end-first))
		if _, again := handedOut.LoadOrStore(addr, true); again {
			continue
		}
		if l, err := net.Listen("tcp", addr); err == nil {
			_ = l.Close() // it has accepted nothing
			return addr
		}
	}
}

var serial atomic.Int64

// unique is a valid client id that no other test of this run has.
func unique(prefix string) string { return fmt.Sprintf("%s%d", prefix, serial.Add(1)) }

// eventually waits until cond holds.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if cond() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for: %s", patience, what)
		}
	}
}

// refusesSome makes calls from several goroutines until the server answers one of them with
// code, and reports whether it did within n calls. One after the other the calls of a slow
// machine may stay below every rate.
func refusesSome(n, code int, call func() int) bool {
	var refused atomic.Bool
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range n / 16 {
				if refused.Load() {
					return
				}
				if call() == code {
					refused.Store(true)
				}
			}
		})
	}
	all.Wait()
	return refused.Load()
}
