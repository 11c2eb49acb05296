package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
)

// child is a process that was started for the run.
type child struct {
	cmd  *exec.Cmd
	log  *tail         // of stderr
	done chan struct{} // closed when it has ended
}

// environment is this process's without what would configure the program.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "SKEIN_") })
}

// spawn starts a command; nil as stdin is empty and as stdout nowhere. The environment
// cannot configure it.
func spawn(stdin, stdout *os.File, command ...string) (*child, error) {
	c := &child{log: &tail{}, done: make(chan struct{})}
	c.cmd = exec.Command(command[0], command[1:]...) //nolint:gosec,noctx // this very program; it is ended by end
	c.cmd.SysProcAttr = childAttributes()
	c.cmd.Env = environment()
	c.cmd.Stderr = c.log
	if stdin != nil {
		c.cmd.Stdin = stdin
	}
	if stdout != nil {
		c.cmd.Stdout = stdout
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", command[0], err)
	}
	go func() { // ends with the process, which end waits for
		_ = c.cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

// end kills the process: what it stored is thrown away.
func (c *child) end() {
	_ = c.cmd.Process.Kill() // it may have ended
	<-c.done
}

// ended says that it is not running any more.
func (c *child) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// tail keeps the end of what is written to it.
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
