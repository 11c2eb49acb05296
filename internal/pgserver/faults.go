package pgserver

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Signal sends a signal to all processes of the server, the first one before the others.
func (p *Server) Signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return err
	}
	for _, pid := range p.children() {
		_ = syscall.Kill(pid, s) // it may have ended meanwhile
	}
	return nil
}

// Kill ends all processes at once, as the loss of the machine does. The files stay.
func (p *Server) Kill() error {
	children := p.children()
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil { // it must not answer for its children
		return err
	}
	for _, pid := range append(children, p.children()...) {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
	}
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	<-p.ended
	return nil
}

// Restart starts a server that was killed, with the settings it had.
func (p *Server) Restart(ctx context.Context) error { return p.Start(ctx, p.settings...) }

// Backend is the process of one of the server's connections; zero: there is none.
func (p *Server) Backend() int {
	for _, pid := range p.children() {
		if line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline")); err == nil && strings.HasPrefix(string(line), "postgres: skein ") {
			return pid
		}
	}
	return 0
}

// children are the processes that the first one started.
func (p *Server) children() (pids []int) {
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range all {
		text, err := os.ReadFile(path) //nolint:gosec // of /proc
		if err != nil {
			continue // it has ended
		}
		var state string
		var parent int
		_, behind, _ := strings.Cut(string(text), ") ")
		if _, err := fmt.Sscan(behind, &state, &parent); err != nil || parent != p.PID() {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
