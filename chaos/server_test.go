package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/skein-im/skein/internal/child"
)

// server is the skein process of one round, on the same data and ports however
// often it is killed.
type server struct {
	program string
	dir     string // data, log, clock
	public  string // address
	admin   string
	log     *os.File

	args  []string     // of serve, beside addresses, data and drain
	env   []string     // beside ours
	enter func() error // called on the thread that starts the process; nil: nothing is done

	mu   sync.Mutex
	cmd  *exec.Cmd       // guarded by mu
	done <-chan struct{} // closed when cmd has ended; guarded by mu
}

// build makes the server whose clock can be jumped.
func build(dir string) (program string, err error) {
	program = filepath.Join(dir, "skein")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-tags", "chaos", "-o", program, "./cmd/skein")
	cmd.Dir = sourceTree()
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/skein: %w\n%s", err, out)
	}
	return program, nil
}

// sourceTree is where the server is built from: this tree, or a copy that somebody
// broke on purpose.
func sourceTree() string {
	if tree := os.Getenv("SKEIN_CHAOS_TREE"); tree != "" {
		return tree
	}
	return ".."
}

func newServer(program, dir string) (*server, error) {
	log, err := os.Create(filepath.Join(dir, "server.log"))
	if err != nil {
		return nil, err
	}
	s := &server{program: program, dir: dir, public: freeAddr(), admin: freeAddr(), log: log}
	return s, s.setClock(0)
}

// freeAddr is an address where nobody listens. Its port is none of those that the kernel
// gives to connections and to other tests that listen meanwhile.
func freeAddr() string {
	const first, end = 10_000, 20_000
	for {
		addr := fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(end-first))
		if l, err := net.Listen("tcp", addr); err == nil {
			_ = l.Close() // it has accepted nothing
			return addr
		}
	}
}

func (s *server) data() string  { return filepath.Join(s.dir, "data") }
func (s *server) clock() string { return filepath.Join(s.dir, "clock") }

// environment is ours without what would configure the server or send calls
// through somebody's proxy.
func (s *server) environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		k, _, _ := strings.Cut(kv, "=")
		k = strings.ToUpper(k)
		return strings.HasPrefix(k, "SKEIN_") || strings.HasSuffix(k, "_PROXY")
	})
	return append(append(env, "SKEIN_CHAOS_CLOCK="+s.clock()), s.env...)
}

// setClock puts the server's clock wrong.
func (s *server) setClock(offset time.Duration) error {
	return os.WriteFile(s.clock(), []byte(strconv.FormatInt(offset.Milliseconds(), 10)), 0o600)
}

// run is a subcommand, to its end.
func (s *server) run(args ...string) ([]byte, error) {
	var out, errs bytes.Buffer
	cmd := exec.Command(s.program, args...)
	cmd.Env = s.environment()
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("skein %s: %w\n%s", strings.Join(args, " "), err, errs.String())
	}
	return out.Bytes(), nil
}

// createApp makes an app with token authentication.
func (s *server) createApp(id string, private bool) (*app, error) {
	flags := []string{"app", "create", "--data", s.data(), "--id", id, "--json", "--send-rate=-1"}
	if private {
		flags = append(flags, "--private-history", "on")
	}
	out, err := s.run(flags...)
	if err != nil {
		return nil, err
	}
	var made struct {
		Key    string `json:"app_key"`
		Secret string `json:"token_secret"`
	}
	if err := json.Unmarshal(out, &made); err != nil {
		return nil, fmt.Errorf("skein app create: %w in %s", err, out)
	}
	return &app{id: id, key: made.Key, secret: made.Secret, private: private}, nil
}

// start runs the server and waits until it is ready.
func (s *server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	cmd := exec.Command(s.program, append([]string{"serve", "--addr", s.public, "--admin-addr", s.admin, "--data", s.data(), "--drain", "1s"}, s.args...)...)
	cmd.Env = s.environment()
	cmd.Stdout, cmd.Stderr = s.log, s.log
	done, err := child.Start(cmd, syscall.SIGKILL, s.enter) // it must not outlive a test binary that was killed
	if err != nil {
		return err
	}
	s.cmd, s.done = cmd, done
	return s.ready()
}

// startWait bounds how long a start may take, on a machine that does much else.
const startWait = 5 * time.Minute

// ready waits until the server that was started can serve.
func (s *server) ready() error {
	for deadline := time.Now().Add(startWait); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		select {
		case <-s.done:
			return fmt.Errorf("skein serve ended with %d before it was ready", s.cmd.ProcessState.ExitCode())
		default:
		}
		res, err := http.Get("http://" + s.public + "/readyz")
		if err != nil {
			continue
		}
		res.Body.Close()
		if res.StatusCode == http.StatusOK {
			return nil
		}
	}
	return fmt.Errorf("skein serve is not ready in %v", startWait)
}

// shortGhosts is how long a call may still be done whose connection is gone, by a server that
// works or is dead.
const shortGhosts = 2 * time.Second

func (s *server) addr() string           { return s.public }
func (s *server) addrs(int) []string     { return []string{s.public} }
func (s *server) ghosts() time.Duration  { return shortGhosts }
func (s *server) faults() []choice       { return serverFaults }
func (s *server) calm() error            { return s.setClock(0) }
func (s *server) least() int64           { return 0 }
func (s *server) lastWords(*round) error { return nil }

// strike does a fault and waits for its end.
func (s *server) strike(ctx context.Context, f fault) error {
	switch f.what {
	case "kill":
		s.kill()
		pause(ctx, f.lasts)
		return s.start()
	case "term":
		if err := s.term(); err != nil {
			return err
		}
		pause(ctx, f.lasts)
		return s.start()
	case "pause":
		if err := s.pause(); err != nil {
			return err
		}
		pause(ctx, f.lasts)
		return s.resume()
	case "clock":
		return s.setClock(f.clock)
	}
	return nil
}

// kill ends the process as a power cut of the process alone would.
func (s *server) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.done
}

// term asks the process to drain and expects that it ends well.
func (s *server) term() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	<-s.done
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("exit code after SIGTERM: got %d, want 0", code)
	}
	return nil
}

// pause stops the process where it stands.
func (s *server) pause() error { return s.signal(syscall.SIGSTOP) }

// resume lets it go on.
func (s *server) resume() error { return s.signal(syscall.SIGCONT) }

func (s *server) signal(sig syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd.Process.Signal(sig)
}

// close ends the process for good.
func (s *server) close() {
	s.kill()
	s.log.Close()
}

var disasters = regexp.MustCompile(`WARNING: DATA RACE|panic: |panic serving|fatal error: |level=ERROR`)

// disaster is a line that no log may hold; empty: there is none.
func (s *server) disaster() string {
	text, err := os.ReadFile(s.log.Name())
	if err != nil {
		return err.Error()
	}
	for line := range strings.Lines(string(text)) {
		if disasters.MatchString(line) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}
