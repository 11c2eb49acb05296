//go:build linux

package socket

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/hub"
)

// rawPeer is a client without a goroutine or a buffer: a blocking file descriptor.
// Its own cost is the kernel's alone, so the benchmarks measure the server.
type rawPeer int

func dialRaw(b testing.TB, addr string) rawPeer {
	b.Helper()
	to := netip.MustParseAddrPort(addr)
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err == nil {
		err = syscall.Connect(fd, &syscall.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})
	}
	if err != nil {
		b.Fatal(err)
	}
	return rawPeer(fd)
}

// loginRaw is a logged-in rawPeer.
func loginRaw(b testing.TB, addr, client string) rawPeer {
	b.Helper()
	p := dialRaw(b, addr)
	var buf [1024]byte
	p.write(b, []byte(handshake))
	p.read(b, buf[:], "\r\n\r\n")
	p.write(b, text(`{"type":"login","data":`+loginData(client, "phone")+`}`))
	if got := p.read(b, buf[:], "}"); !bytes.Contains(got, []byte("login.success")) {
		b.Fatalf("login: %q", got)
	}
	return p
}

func (p rawPeer) write(b testing.TB, data []byte) {
	if _, err := syscall.Write(int(p), data); err != nil {
		b.Fatal(err)
	}
}

// read reads into buf until the bytes end with want.
func (p rawPeer) read(b testing.TB, buf []byte, end string) []byte {
	have := 0
	for have < len(end) || string(buf[have-len(end):have]) != end {
		n, err := syscall.Read(int(p), buf[have:])
		if n <= 0 {
			b.Fatalf("read: %d %v after %q", n, err, buf[:have])
		}
		have += n
	}
	return buf[:have]
}

// readBytes reads n bytes.
func (p rawPeer) readBytes(b testing.TB, buf []byte, n int) {
	for n > 0 {
		got, err := syscall.Read(int(p), buf[:min(n, len(buf))])
		if got <= 0 {
			b.Fatalf("read: %d %v", got, err)
		}
		n -= got
	}
}

func (p rawPeer) close() { _ = syscall.Close(int(p)) }

func BenchmarkPing(b *testing.B) {
	f := start(b, nil)
	p := loginRaw(b, f.addr, "Tom")
	defer p.close()
	ping := text(`{"type":"ping"}`)
	var buf [256]byte
	b.ReportAllocs()
	for b.Loop() {
		p.write(b, ping)
		p.read(b, buf[:], "}}")
	}
}

// BenchmarkEchoPipelined is 16 commands in a packet, over and over.
func BenchmarkEchoPipelined(b *testing.B) {
	const window = 16
	f := start(b, nil)
	p := loginRaw(b, f.addr, "Tom")
	defer p.close()
	command, want := echo(strings.Repeat("x", 100))
	commands := bytes.Repeat(text(command), window)
	size := window * (len(want) - len("text ") + 4) // its header has 4 bytes
	buf := make([]byte, 16<<10)
	b.ReportAllocs()
	for b.Loop() {
		p.write(b, commands)
		p.readBytes(b, buf, size)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*window), "ns/command")
}

// BenchmarkBroadcast delivers one event to 1,000 sockets, and waits until all have
// it. The metric is the CPU time without that of the clients' reads.
func BenchmarkBroadcast(b *testing.B) {
	const sockets = 1000
	f := start(b, nil)
	peers := make([]rawPeer, sockets)
	clients := make([]string, sockets)
	for i := range peers {
		clients[i] = fmt.Sprint("c", i)
		peers[i] = loginRaw(b, f.addr, clients[i])
		defer peers[i].close()
	}
	event := []byte(`{"type":"msg.new","data":"` + strings.Repeat("x", 300) + `"}`)
	buf := make([]byte, 1024)

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := cpu(syscall.RUSAGE_SELF) - cpu(rusageThread)
	b.ReportAllocs()
	for b.Loop() {
		for _, client := range clients {
			f.hub.Deliver("shop", client, event, hub.Except{})
		}
		for _, p := range peers {
			p.readBytes(b, buf, len(event)+4)
		}
	}
	used := cpu(syscall.RUSAGE_SELF) - cpu(rusageThread) - before
	b.ReportMetric(float64(used.Nanoseconds())/float64(b.N*sockets), "cpu-ns/delivery")
}

const rusageThread = 1 // RUSAGE_THREAD

func cpu(who int) time.Duration {
	var use syscall.Rusage
	_ = syscall.Getrusage(who, &use) // cannot fail with these arguments
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// BenchmarkIdle measures what a logged-in, idle socket costs: resident
// bytes of the process, and its CPU for the login and for a heartbeat (ping and
// pong). The peers are another process.
func BenchmarkIdle(b *testing.B) {
	if testing.Short() {
		b.Skip("opens 10,000 sockets")
	}
	const (
		sockets   = 10_000
		heartbeat = 5 * time.Second
		rounds    = 3
	)
	f := start(b, func(_ *Options, o *hub.Options) { o.Heartbeat = heartbeat })
	for b.Loop() {
		before, cpuBefore := residentBytes(b), cpu(syscall.RUSAGE_SELF)
		hangUp := startPeers(b, f.addr, sockets)
		used := cpu(syscall.RUSAGE_SELF) - cpuBefore
		resident := residentBytes(b) - before
		if n := f.hub.Sessions(); n != sockets {
			b.Fatalf("%d sessions", n)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(resident)/sockets, "RSS-bytes/socket")
		b.ReportMetric(float64(m.HeapAlloc)/sockets, "heap-bytes/socket")
		b.ReportMetric(float64(m.StackInuse)/sockets, "stack-bytes/socket")
		b.ReportMetric(float64(used.Microseconds())/sockets, "cpu-µs/login")

		cpuBefore = cpu(syscall.RUSAGE_SELF)
		time.Sleep(rounds * heartbeat)
		used = cpu(syscall.RUSAGE_SELF) - cpuBefore
		if n := f.hub.Sessions(); n != sockets {
			b.Fatalf("%d sessions after the heartbeats", n)
		}
		b.ReportMetric(float64(used.Microseconds())/sockets/rounds, "cpu-µs/heartbeat")
		hangUp()
	}
}

// The clients run in another process: this test binary, with these variables set.
const (
	peersAddr  = "SKEIN_TEST_PEERS_ADDR"
	peersCount = "SKEIN_TEST_PEERS_COUNT"
)

// startPeers logs in n sockets from another process; hangUp ends it.
func startPeers(b *testing.B, addr string, n int) (hangUp func()) {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=TestPeersOfTheIdleBenchmark")
	cmd.Env = append(os.Environ(), peersAddr+"="+addr, peersCount+"="+strconv.Itoa(n))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
		b.Fatalf("peers: %q %v", line, err)
	}
	return func() {
		_ = stdin.Close()
		_ = cmd.Wait() // its exit status does not matter
	}
}

// TestPeersOfTheIdleBenchmark is the other process of BenchmarkIdle.
func TestPeersOfTheIdleBenchmark(t *testing.T) {
	addr := os.Getenv(peersAddr)
	if addr == "" {
		return // BenchmarkIdle did not start this process
	}
	n, err := strconv.Atoi(os.Getenv(peersCount))
	if err != nil {
		t.Fatal(err)
	}
	poll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		p := loginRaw(t, addr, fmt.Sprint("client", i))
		in := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(p)}
		if err := syscall.EpollCtl(poll, syscall.EPOLL_CTL_ADD, int(p), &in); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = os.Stdout.WriteString("ready\n")
	go answerPings(t, poll)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the benchmark hangs up
}

// answerPings answers whatever comes with a pong; it ends with the process.
func answerPings(t *testing.T, poll int) {
	var ready [256]syscall.EpollEvent
	var buf [256]byte
	pong := pongOf("")
	for {
		n, err := syscall.EpollWait(poll, ready[:], -1)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			t.Errorf("epoll: %v", err)
			return
		}
		for _, e := range ready[:max(n, 0)] {
			if got, _ := syscall.Read(int(e.Fd), buf[:]); got > 0 {
				rawPeer(e.Fd).write(t, pong)
			}
		}
	}
}

// residentBytes is the resident size after a garbage collection.
func residentBytes(b *testing.B) int {
	b.Helper()
	for range 3 { // each halves the stacks that have grown
		debug.FreeOSMemory()
	}
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	if err != nil {
		b.Fatal(err)
	}
	return pages * os.Getpagesize()
}
