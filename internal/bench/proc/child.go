package proc

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
)

// Process is a process that was started for the run.
type Process struct {
	Cmd  *exec.Cmd
	Log  *tail         // of stderr
	done chan struct{} // closed when it has ended
}

// Environment is this process's without what would configure the program.
func Environment() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "SKEIN_") })
}

// Spawn starts a command; nil as stdin is empty and as stdout nowhere. The environment
// cannot configure it.
func Spawn(stdin, stdout *os.File, command ...string) (*Process, error) {
	c := &Process{Log: &tail{}, done: make(chan struct{})}
	c.Cmd = exec.Command(command[0], command[1:]...) //nolint:gosec,noctx // this very program; it is ended by end
	c.Cmd.SysProcAttr = childAttributes()
	c.Cmd.Env = Environment()
	c.Cmd.Stderr = c.Log
	if stdin != nil {
		c.Cmd.Stdin = stdin
	}
	if stdout != nil {
		c.Cmd.Stdout = stdout
	}
	if err := c.Cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", command[0], err)
	}
	go func() { // ends with the process, which end waits for
		_ = c.Cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

// End kills the process: what it stored is thrown away.
func (c *Process) End() {
	_ = c.Cmd.Process.Kill() // it may have ended
	<-c.done
}

// Ended says that it is not running any more.
func (c *Process) Ended() bool {
	select {
	case <-c.done:
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
