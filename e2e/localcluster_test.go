package e2e

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/skein-im/skein/internal/child"
)

// localCluster is a running `skein-cluster`: what `make cluster` runs.
type localCluster struct {
	*app // as the balancer serves it

	cmd   *exec.Cmd
	log   *logBuffer
	ended <-chan struct{}
	pids  map[string]int // of the nodes, by name, and of "postgres"
}

// clusterProgram is what `make cluster` runs.
var clusterProgram = sync.OnceValues(func() (string, error) { return besideProgram("skein-cluster") })

// startLocalCluster runs `skein-cluster` with three nodes on the data in dir.
func startLocalCluster(t *testing.T, dir string) *localCluster {
	t.Helper()
	tool, err := clusterProgram()
	if err != nil {
		t.Fatal(err)
	}
	port := freePorts(30)
	c := &localCluster{log: &logBuffer{}, pids: map[string]int{}}
	c.cmd = exec.Command(tool, "--program", program, "--data", dir, "--port", strconv.Itoa(port))
	c.cmd.Env, c.cmd.Stdout, c.cmd.Stderr = cleanEnv(), c.log, c.log
	if c.ended, err = child.Start(c.cmd, syscall.SIGKILL, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		<-c.ended
	})
	eventually(t, "the cluster tells that it runs\n"+c.log.tail(0), func() bool {
		select {
		case <-c.ended:
			t.Fatalf("skein-cluster ended:\n%s", c.log.tail(0))
		default:
		}
		return strings.Contains(c.log.tail(0), "starts again after")
	})
	for _, m := range regexp.MustCompile(`(?m)^  (n\d) +(\d+) `).FindAllStringSubmatch(c.log.tail(0), -1) {
		c.pids[m[1]], _ = strconv.Atoi(m[2])
	}
	text, err := os.ReadFile(filepath.Join(dir, "postgres", "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	c.pids["postgres"], _ = strconv.Atoi(strings.SplitN(string(text), "\n", 2)[0])
	if len(c.pids) != 4 {
		t.Fatalf("got processes %v, want three nodes and postgres\n%s", c.pids, c.log.tail(0))
	}
	c.app = demoApp(&server{Addr: fmt.Sprintf("127.0.0.1:%d", port)})
	return c
}

// freePorts is the first of n ports where nobody listens, and that freeAddr answers to nobody.
func freePorts(n int) int {
next:
	for {
		_, text, _ := net.SplitHostPort(freeAddr())
		first, _ := strconv.Atoi(text)
		for port := first + 1; port <= first+n; port++ {
			addr := fmt.Sprintf("127.0.0.1:%d", port)
			if _, again := handedOut.LoadOrStore(addr, true); again {
				continue next
			}
			l, err := net.Listen("tcp", addr)
			if err != nil {
				continue next
			}
			_ = l.Close() // it has accepted nothing
		}
		return first
	}
}

// loginAt logs in through the balancer and says at which node.
func (c *localCluster) loginAt(t *testing.T, client, device string) (s *socket, node string) {
	t.Helper()
	s, answer, err := c.tryLogin("", client, device)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Drop)
	return s, answer.want(t, "login", 0).text("node")
}

// signal ends the cluster and waits until none of its processes is left.
func (c *localCluster) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	<-c.ended
	for name, pid := range c.pids {
		eventually(t, fmt.Sprintf("%s (pid %d) ends with the cluster", name, pid), func() bool {
			return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
		})
	}
}

// What `make cluster` starts is one server at one address: its clients find the node they are at
// in the login, one that dies costs nothing, the data stay, and no process is left behind.
func TestTheLocalClusterSurvivesANodeAndEndsWhole(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "skein-cluster-")
	if err := errors.Join(err, os.Chmod(dir, 0o711)); err != nil { // PostgreSQL's user has to enter it
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	c := startLocalCluster(t, dir)
	conv := c.group(t, "Tom", "Jerry", "Alex")
	sockets := map[string]*socket{}
	for _, client := range []string{"Tom", "Jerry", "Alex"} {
		s, node := c.loginAt(t, client, "phone")
		s.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": "of " + client}).want(t, "msg.send", 0)
		sockets[node] = s
	}
	eventually(t, "a socket is at each node", func() bool { // a node that answers a probe late gets none for a while
		if len(sockets) < 3 {
			s, node := c.loginAt(t, "Tom", unique("pad"))
			sockets[node] = s
		}
		return len(sockets) >= 3
	})
	if len(sockets) != 3 || sockets[""] != nil {
		t.Fatalf("got sockets at nodes %v, want one at each of three", sockets)
	}

	if err := syscall.Kill(c.pids["n1"], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	sockets["n1"].closed(t, 0)
	if _, node := c.loginAt(t, "Iron", "phone"); node == "n1" {
		t.Error("a login after n1 was killed: got n1, want another node")
	}
	c.send(t, conv, "Iron", "after the kill")
	sockets["n2"].expectText(t, "after the kill")
	sockets["n3"].expectText(t, "after the kill")
	eventually(t, "the killed node starts again", func() bool { return strings.Contains(c.log.tail(0), "Node n1 starts again") })
	m := regexp.MustCompile(`Node n1 starts again, pid (\d+)`).FindStringSubmatch(c.log.tail(0))
	c.pids["n1"], _ = strconv.Atoi(m[1])
	c.signal(t, syscall.SIGINT)
	if code := c.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code after SIGINT: got %d, want 0\n%s", code, c.log.tail(0))
	}

	c = startLocalCluster(t, dir)
	var texts []string
	for _, m := range c.history(t, conv) {
		texts = append(texts, m.text())
	}
	slices.Sort(texts)
	if want := []string{"after the kill", "of Alex", "of Jerry", "of Tom"}; !slices.Equal(texts, want) {
		t.Errorf("history after another start: got %q, want %q", texts, want)
	}
	c.signal(t, syscall.SIGKILL)
}
