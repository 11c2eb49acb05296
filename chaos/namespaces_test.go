package chaos

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// namespaces is machines that are network namespaces, on one bridge, with us at 10.x.y.1. Only root can
// make it. A cut loses every packet between two machines, and nobody is told.
type namespaces struct {
	id       int // of this process
	serial   int // of this network in this process: the kernel removes those before in its own time
	machines []string
	cuts     [][2]string
}

// newNamespaces makes a network; nil without an error: we may not.
func newNamespaces(machines ...string) (*namespaces, error) {
	sweepNamespaces()
	const names = 100 // the name of a network card has 15 characters
	n := &namespaces{id: os.Getpid(), serial: int(networks.Add(1)) % names, machines: machines}
	if n.run("netns", "add", n.namespace("try")) != nil {
		return nil, nil //nolint:nilnil,nilerr // there is none
	}
	err := errors.Join(
		n.run("netns", "del", n.namespace("try")),
		n.run("link", "add", n.bridge(), "type", "bridge"),
		n.run("addr", "add", n.address(1)+"/24", "dev", n.bridge()),
		n.run("link", "set", n.bridge(), "up"),
	)
	for i, m := range machines {
		outside := fmt.Sprintf("skv%d-%d-%d", n.id, n.serial, i)
		err = errors.Join(err,
			n.run("netns", "add", n.namespace(m)),
			n.run("link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", n.namespace(m)),
			n.run("link", "set", outside, "master", n.bridge(), "up"),
			n.run("-n", n.namespace(m), "addr", "add", n.ip(m)+"/24", "dev", "eth0"),
			n.run("-n", n.namespace(m), "link", "set", "eth0", "up"),
			n.run("-n", n.namespace(m), "link", "set", "lo", "up"),
		)
	}
	if err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// run runs ip.
func (n *namespaces) run(args ...string) error {
	if said, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, said)
	}
	return nil
}

func (n *namespaces) bridge() string { return fmt.Sprintf("skb%d-%d", n.id, n.serial) }
func (n *namespaces) namespace(machine string) string {
	return fmt.Sprintf("skein%d-%d-%s", n.id, n.serial, machine)
}

// address is the address with a number, in a range of this process.
func (n *namespaces) address(host int) string {
	const first, count, size = 100, 100, 256
	return fmt.Sprintf("10.%d.%d.%d", first+n.id/size%count, n.id%size, host)
}

// ip is the address of a machine.
func (n *namespaces) ip(machine string) string {
	for i, m := range n.machines {
		if m == machine {
			return n.address(10 + i)
		}
	}
	panic("no such machine: " + machine)
}

// enter moves the calling thread to a machine.
func (n *namespaces) enter(machine string) func() error {
	return func() error {
		f, err := os.Open(filepath.Join("/run/netns", n.namespace(machine)))
		if err != nil {
			return err
		}
		defer f.Close()
		return unix.Setns(int(f.Fd()), unix.CLONE_NEWNET)
	}
}

// cut loses everything between two machines: each sends it to an address of the network card
// that nobody has.
func (n *namespaces) cut(a, b string) error {
	n.cuts = append(n.cuts, [2]string{a, b})
	const nobody = "02:00:00:00:00:99"
	return errors.Join(
		n.run("-n", n.namespace(a), "neigh", "replace", n.ip(b), "lladdr", nobody, "dev", "eth0", "nud", "permanent"),
		n.run("-n", n.namespace(b), "neigh", "replace", n.ip(a), "lladdr", nobody, "dev", "eth0", "nud", "permanent"),
	)
}

// heal ends all cuts.
func (n *namespaces) heal() (err error) {
	for _, c := range n.cuts {
		err = errors.Join(err,
			n.run("-n", n.namespace(c[0]), "neigh", "del", n.ip(c[1]), "dev", "eth0"),
			n.run("-n", n.namespace(c[1]), "neigh", "del", n.ip(c[0]), "dev", "eth0"),
		)
	}
	n.cuts = nil
	return err
}

func (n *namespaces) close() {
	for _, m := range n.machines {
		_ = n.run("netns", "del", n.namespace(m)) // it may not have been made
	}
	_ = n.run("link", "del", n.bridge())
}

var (
	ofNetwork = regexp.MustCompile(`skein(\d+)-(\d+)-`)
	networks  atomic.Int64 // made by this process
)

// sweepNamespaces removes what processes that were killed have left.
func sweepNamespaces() {
	left, _ := filepath.Glob("/run/netns/skein*-*")
	for _, path := range left {
		found := ofNetwork.FindStringSubmatch(path)
		if found == nil {
			continue
		}
		pid, err := strconv.Atoi(found[1])
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = exec.Command("ip", "netns", "del", filepath.Base(path)).Run()
			_ = exec.Command("ip", "link", "del", "skb"+found[1]+"-"+found[2]).Run()
		}
	}
}
