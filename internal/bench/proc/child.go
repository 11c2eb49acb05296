package proc

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/skein-im/skein/internal/child"
)

// Process is a process that was started for the run.
type Process struct {
	Cmd   *exec.Cmd
	Log   *tail           // of stderr
	ended <-chan struct{} // closed when it has ended
}

// Environment is this process's without what would configure the program.
func Environment() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "SKEIN_") })
}

// Spawn starts a command. The environment cannot configure it.
func Spawn(command ...string) (*Process, error) { return spawn(nil, nil, command...) }

// spawn is Spawn; nil as stdin is empty and as stdout nowhere.
func spawn(stdin, stdout *os.File, command ...string) (c *Process, err error) {
	c = &Process{Log: &tail{}}
	c.Cmd = exec.Command(command[0], command[1:]...) //nolint:gosec,noctx // this very program; it is ended by end
	c.Cmd.Env = Environment()
	c.Cmd.Stderr = c.Log
	if stdin != nil {
		c.Cmd.Stdin = stdin
	}
	if stdout != nil {
		c.Cmd.Stdout = stdout
	}
	if c.ended, err = child.Start(c.Cmd, syscall.SIGKILL, nil); err != nil {
		return nil, fmt.Errorf("start %s: %w", command[0], err)
	}
	return c, nil
}

// End kills the process: what it stored is thrown away.
func (c *Process) End() {
	_ = c.Cmd.Process.Kill() // it may have ended
	<-c.ended
}

// Ended says that it is not running any more.
func (c *Process) Ended() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// tail keeps the last 4 KiB that were written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailBytes = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if more := len(t.b) - tailBytes; more > 0 {
		t.b = bytes.Clone(t.b[more:])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}

// Lowest is a command at the lowest priority, where the system has a program for that.
func Lowest(command ...string) []string {
	if nice, err := exec.LookPath("nice"); err == nil {
		return append([]string{nice, "-n", "19"}, command...)
	}
	return command
}

// Handling is a command that may hold n files and sockets open; zero: as many as this
// process. The bound is there before the command begins, as it asks for it then.
func Handling(n uint64, command ...string) []string {
	if n == 0 {
		return command
	}
	return append([]string{"sh", "-c", `ulimit -n "$0" && exec "$@"`, fmt.Sprint(n)}, command...)
}
