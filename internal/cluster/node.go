package cluster

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/skein-im/skein/internal/child"
)

// node is one server process, again and again.
type node struct {
	name, dir, program string
	addr, admin, route string // host:port of clients, of metrics, of the other nodes
	env                []string
	say                func(string)
	pid                atomic.Int64 // of the process that runs, or ran last
}

// drainWait bounds the end of a node after SIGTERM.
const drainWait = 40 * time.Second

func (n *node) log() string { return filepath.Join(n.dir, "log") }

// run runs the node until ctx ends, and starts it again when it ends before. Error: it ended before
// the cluster was complete, so its settings are wrong.
func (n *node) run(ctx context.Context, hurry <-chan struct{}, complete *atomic.Bool) error {
	for again := false; ; again = true {
		if again {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(restartAfter):
			}
		}
		cmd, ended, err := n.start()
		if err != nil {
			return fmt.Errorf("start node %s: %w", n.name, err)
		}
		if again {
			n.say(fmt.Sprintf("Node %s starts again, pid %d.", n.name, n.pid.Load()))
		}
		select {
		case <-ctx.Done():
			end(cmd, ended, hurry)
			return nil
		case <-ended:
		}
		if !complete.Load() {
			return fmt.Errorf("node %s ended: %v\n%s", n.name, cmd.ProcessState, n.lastLines())
		}
		n.say(fmt.Sprintf("Node %s ended: %v. It starts again in %v; its log: %s", n.name, cmd.ProcessState, restartAfter, n.log()))
	}
}

// start starts the process. ended is closed when it has ended.
func (n *node) start() (cmd *exec.Cmd, ended <-chan struct{}, err error) {
	log, err := os.OpenFile(n.log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, err
	}
	cmd = exec.Command(n.program, "serve") //nolint:gosec,noctx // the binary that was built; run ends it
	cmd.Env, cmd.Stdout, cmd.Stderr = n.env, log, log
	ended, err = child.Start(cmd, syscall.SIGKILL, nil)
	_ = log.Close() // the process has it
	if err != nil {
		return nil, nil, err
	}
	n.pid.Store(int64(cmd.Process.Pid))
	return cmd, ended, nil
}

// end drains a node, or kills it when that takes too long.
func end(cmd *exec.Cmd, ended, hurry <-chan struct{}) {
	_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-ended:
		return
	case <-hurry:
	case <-time.After(drainWait):
	}
	_ = cmd.Process.Kill()
	<-ended
}

// lastLines is the end of the node's log.
func (n *node) lastLines() []byte {
	const most = 10
	text, err := os.ReadFile(n.log())
	if err != nil {
		return []byte(err.Error())
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-most):], []byte("\n"))
}
