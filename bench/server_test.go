package bench

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var binary string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "skein-bench")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "skein")
	build := exec.Command("go", "build", "-o", binary, "../cmd/skein")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// server is a running `skein serve --dev` on an empty store.
type server struct {
	tb    testing.TB
	addr  string
	admin string
	data  string
	cmd   *exec.Cmd
}

func start(tb testing.TB) *server {
	tb.Helper()
	s := &server{tb: tb, addr: freeAddr(tb), admin: freeAddr(tb), data: tb.TempDir()}
	s.launch()
	return s
}

// launch runs the server on its data.
func (s *server) launch() {
	s.tb.Helper()
	s.cmd = exec.Command(binary, "serve", "--dev", "--data", s.data, "--addr", s.addr, "--admin-addr", s.admin, "--drain", "0s", "--log-level", "warn")
	cmd, log := s.cmd, &bytes.Buffer{}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		s.tb.Fatal(err)
	}
	s.tb.Cleanup(func() {
		kill(cmd) // the store is thrown away
		if s.tb.Failed() {
			s.tb.Logf("server: %s", log.String())
		}
	})
	s.waitReady()
}

// kill ends the process as a crash would; once it has ended, it does nothing.
func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

func freeAddr(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func (s *server) waitReady() {
	s.tb.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		resp, err := http.Get("http://" + s.addr + "/readyz")
		if err != nil {
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
	}
	s.tb.Fatal("server is not ready after a minute")
}

// cpu is what the threads of the server have used, of which none ends: to the
// nanosecond, where /proc/pid/stat counts ten milliseconds.
func (s *server) cpu() (spent time.Duration) {
	s.tb.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", s.cmd.Process.Pid))
	if err != nil || len(threads) == 0 {
		s.tb.Fatalf("no threads of the server: %v", err)
	}
	for _, file := range threads {
		stat, err := os.ReadFile(file)
		if err != nil {
			s.tb.Fatal(err)
		}
		var running int64
		if _, err := fmt.Sscan(string(stat), &running); err != nil {
			s.tb.Fatal(err)
		}
		spent += time.Duration(running)
	}
	return spent
}

// rss is the server's resident memory in bytes after it gave back what it could.
func (s *server) rss() int64 {
	s.tb.Helper()
	resp, err := http.Get("http://" + s.admin + "/debug/pprof/heap?gc=1")
	if err != nil {
		s.tb.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.cmd.Process.Pid))
	if err != nil {
		s.tb.Fatal(err)
	}
	pages, _ := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// measure runs work and reports the server's CPU a unit.
func (s *server) measure(b *testing.B, unit string, units int, work func()) {
	b.Helper()
	defer s.profile()()
	before, started := s.cpu(), time.Now()
	work()
	spent, took := s.cpu()-before, time.Since(started)
	b.ReportMetric(float64(spent.Microseconds())/float64(units), "server-cpu-µs/"+unit)
	b.ReportMetric(float64(units)/took.Seconds(), unit+"/s")
}

// profileFile keeps a CPU profile of the server: go test -bench Pairs -server.profile f.
var profileFile = flag.String("server.profile", "", "file for a 5 s CPU profile of the server")

// profile starts the profile that was asked for; what it answers waits for its end.
func (s *server) profile() (wait func()) {
	if *profileFile == "" {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		resp, err := http.Get("http://" + s.admin + "/debug/pprof/profile?seconds=5")
		if err != nil {
			s.tb.Error(err)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		profile, err := io.ReadAll(resp.Body)
		if err == nil {
			err = os.WriteFile(*profileFile, profile, 0o600)
		}
		if err != nil {
			s.tb.Error(err)
		}
	}()
	return func() { <-done }
}
