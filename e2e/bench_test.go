package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/gobwas/ws"
)

// benchProgram is the load generator.
var benchProgram = sync.OnceValues(func() (string, error) { return besideProgram("skein-bench") })

// besideProgram is a tool: the one beside the server's binary, or one that is built for this run.
func besideProgram(name string) (string, error) {
	beside := filepath.Join(filepath.Dir(program), name)
	if _, err := os.Stat(beside); err == nil {
		return beside, nil
	}
	built := filepath.Join(tempDir, name)
	build := exec.Command("go", "build", "-o", built, "./cmd/"+name)
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/%s: %w\n%s", name, err, out)
	}
	return built, nil
}

// skeinBench runs the load generator to its end.
func skeinBench(t *testing.T, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	load, err := benchProgram()
	if err != nil {
		t.Fatal(err)
	}
	return runProgram(t, load, append([]string{"--server", program}, args...)...)
}

// benchReport is what `skein-bench --json` writes.
type benchReport struct {
	Commit  string `json:"commit"`
	Machine string `json:"machine"`
	Results []struct {
		Scenario string `json:"scenario"`
		Phase    string `json:"phase"`
		Values   []struct {
			Name  string   `json:"name"`
			Value float64  `json:"value"`
			Floor *float64 `json:"floor"`
		} `json:"values"`
		Checked string   `json:"checked"`
		Faults  []string `json:"faults"`
	} `json:"results"`
}

// playBench runs `skein-bench` at a tiny size to its end.
func playBench(t *testing.T, args ...string) (r benchReport, stdout, stderr string, exit int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bench.json")
	stdout, stderr, exit = skeinBench(t, append([]string{"--json", file, "--dir", t.TempDir()}, args...)...)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("skein-bench %s: %v\n%s%s", strings.Join(args, " "), err, stdout, stderr)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return r, stdout, stderr, exit
}

func TestBenchPlaysEachScenario(t *testing.T) {
	t.Parallel()
	for scenario, phases := range map[string][]string{
		"idle":    {""},
		"pairs":   {"window 1", "window 16"},
		"group":   {"100 messages a second", "window 8"},
		"rooms":   {""},
		"rest":    {""},
		"history": {"newest", "deep"},
		"login":   {""},
		"sync":    {""},
		"latency": {""},
	} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			r, stdout, stderr, exit := playBench(t, scenario, "--clients", "12", "--count", "24", "--seconds", "0.2")
			if exit != 0 {
				t.Fatalf("exit %d\n%s%s", exit, stdout, stderr)
			}
			if len(r.Results) != len(phases) {
				t.Fatalf("%d results, want phases %q\n%s", len(r.Results), phases, stdout)
			}
			for i, result := range r.Results {
				if result.Scenario != scenario || result.Phase != phases[i] || len(result.Faults) > 0 || result.Checked == "" {
					t.Errorf("got %+v, want %s %s", result, scenario, phases[i])
				}
				if !strings.Contains(stdout, result.Checked) {
					t.Errorf("the table does not say what was checked:\n%s", stdout)
				}
				figures := map[string]bool{}
				for _, v := range result.Values {
					figures[strings.Fields(v.Name)[0]] = true
				}
				if !figures["server"] || len(result.Values) < 4 {
					t.Errorf("figures: got %+v", result.Values)
				}
			}
		})
	}
}

// The attacks are made small: what they do to a machine is for make bench to say. They
// come from a process of the lowest priority, so the test runs beside no other.
func TestBenchPlaysOneAppAgainstAnother(t *testing.T) {
	attacks := []string{"talk", "uploads", "erase", "members", "idle connections"}
	r, stdout, stderr, exit := playBench(t, "neighbours", "--clients", "12", "--seconds", "1", "--attack", strings.Join(attacks, ","))
	if exit != 0 || len(r.Results) != len(attacks) {
		t.Fatalf("exit %d, %d results, want one for each of %q\n%s%s", exit, len(r.Results), attacks, stdout, stderr)
	}
	for i, result := range r.Results {
		if result.Phase != attacks[i] || len(result.Faults) > 0 || !strings.Contains(result.Checked, "no call was refused") {
			t.Errorf("got %+v, want %s without a fault", result, attacks[i])
		}
		for _, v := range result.Values[:6] {
			if v.Value <= 0 || v.Floor == nil || *v.Floor <= 0 {
				t.Errorf("%s, %s: got %v beside a quiet %v, want two times", result.Phase, v.Name, v.Value, v.Floor)
			}
		}
		if through := result.Values[7]; through.Value == 0 {
			t.Errorf("%s: nothing of the attack went through: %+v", result.Phase, result.Values)
		}
	}
	_, stderr, exit = skeinBench(t, "neighbours", "--attack", "nothing")
	if exit == 0 || !strings.Contains(stderr, `no attack "nothing"; there are where, listings, `) {
		t.Errorf("an attack that is none: exit %d, %s", exit, stderr)
	}
}

func TestBenchWritesAPlotAndADocument(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	document, plot := filepath.Join(dir, "performance.md"), filepath.Join(dir, "plot.svg")
	const before, after = "# Performance\n\n<!-- measured: written by make bench -->\n", "<!-- end of what was measured -->\n\n## More\n"
	if err := os.WriteFile(document, []byte(before+"old\n"+after), 0o600); err != nil {
		t.Fatal(err)
	}
	// A target is in the plot where the scenario has its own number of clients.
	_, stdout, stderr, exit := playBench(t, "rest", "--count", "64", "--markdown", document, "--svg", plot)
	if exit != 0 {
		t.Fatalf("exit %d\n%s%s", exit, stdout, stderr)
	}
	b, err := os.ReadFile(document)
	if text := string(b); err != nil || !strings.HasPrefix(text, before) || !strings.HasSuffix(text, after) ||
		!strings.Contains(text, "| **rest**: sends over 64 keep-alive connections | server CPU a message |") || strings.Contains(text, "old") {
		t.Errorf("document: %v\n%s", err, text)
	}
	if b, err = os.ReadFile(plot); err != nil || !bytes.Contains(b, []byte("rest: server CPU a message")) {
		t.Errorf("plot: %v\n%s", err, b)
	}
}

func TestBenchMeasuresATargetAndTakesOffWhatItPutOnIt(t *testing.T) {
	t.Parallel()
	s := start(t, withoutDev())
	a := createApp(t, s)
	r, stdout, stderr, exit := playBench(t, "pairs", "--clients", "4", "--count", "8", "--target", "http://"+s.Addr, "--admin", "http://"+s.Admin, "--app", a.ID, "--key", a.Key)
	if exit != 0 || len(r.Results) != 2 {
		t.Fatalf("exit %d\n%s%s", exit, stdout, stderr)
	}
	for _, v := range r.Results[0].Values {
		if strings.HasPrefix(v.Name, "server") {
			t.Errorf("%s: got %v without a --pid", v.Name, v.Value)
		}
	}
	left := s.call(t, "GET", "/im/users", headers{"app-id": a.ID, "app-key": a.Key}, nil).want(t, "user.list", 0)
	if total := left.number("total"); total != 0 {
		t.Errorf("%v clients are left on the target: %s", total, left.Data)
	}
}

// lossy stands between the bench and a server and swallows one push.
type lossy struct {
	server string
	once   sync.Once
}

func (l *lossy) serve(t *testing.T) (url string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go l.carry(conn)
		}
	}()
	return "http://" + listener.Addr().String()
}

func (l *lossy) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", l.server)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	in := bufio.NewReader(server)
	var head bytes.Buffer
	for !bytes.HasSuffix(head.Bytes(), []byte("\r\n\r\n")) {
		b, err := in.ReadByte()
		if err != nil {
			return
		}
		head.WriteByte(b)
	}
	upgraded := bytes.HasPrefix(head.Bytes(), []byte("HTTP/1.1 101"))
	_, _ = client.Write(head.Bytes())
	if !upgraded {
		_, _ = io.Copy(client, in)
		return
	}
	for l.carryFrame(client, in) == nil {
	}
}

func (l *lossy) carryFrame(client io.Writer, in io.Reader) error {
	head, err := ws.ReadHeader(in)
	if err != nil {
		return err
	}
	payload := make([]byte, head.Length)
	if _, err := io.ReadFull(in, payload); err != nil {
		return err
	}
	dropped := false
	if bytes.HasPrefix(payload, []byte(`{"type":"msg.new"`)) {
		l.once.Do(func() { dropped = true })
	}
	if dropped {
		return nil
	}
	return ws.WriteFrame(client, ws.Frame{Header: head, Payload: payload})
}

func TestBenchFailsLoudlyWhenAPushIsLost(t *testing.T) {
	t.Parallel()
	s := devServer.get(t)
	r, stdout, stderr, exit := playBench(t, "group", "--clients", "4", "--count", "8", "--target", (&lossy{server: s.Addr}).serve(t))
	if exit != 1 || !strings.Contains(stderr, "promises broken: group, 100 messages a second") {
		t.Errorf("exit %d, want 1\n%s%s", exit, stdout, stderr)
	}
	if len(r.Results) != 2 || len(r.Results[0].Faults) != 1 || !strings.Contains(r.Results[0].Faults[0], "never got seq 1: lost") {
		t.Errorf("got %+v, want one lost push", r.Results)
	}
	if !strings.Contains(stdout, "FAULT") {
		t.Errorf("the table does not tell the fault:\n%s", stdout)
	}
}

func TestBenchEndsWhenItIsInterrupted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var stderr bytes.Buffer
	load, err := benchProgram()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(load, "idle", "--server", program, "--clients", "4", "--dir", dir)
	cmd.Env, cmd.Stderr = cleanEnv(), &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the bench has a server", func() bool {
		stores, _ := filepath.Glob(filepath.Join(dir, "*", "skein.db"))
		return len(stores) == 1
	})
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 { // at the end of its watching it exits with 0
		t.Errorf("after SIGINT: %v, want exit code 1\n%s", err, stderr.String())
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
