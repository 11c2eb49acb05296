// Package pgserver starts PostgreSQL servers on this machine, from the programs that are installed.
// A server ends with the process that started it, however that ends. Tests and tools use it.
package pgserver

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// prefix begins the names of the directories of servers; the id of this process and a name
// follow.
const prefix = "skein-postgres-"

// Server is a server that ends with this process.
type Server struct {
	bin, dir string
	owner    *syscall.Credential
	cmd      *exec.Cmd
	settings []map[string]string // of the last start

	// Enter is called on the thread that starts the server, such as to enter a network namespace;
	// nil: nothing is done.
	Enter func() error
}

// New makes the directory of a server that is to be started. parent is where; empty: in memory, where
// the system has such a directory. name tells the servers of one process apart.
func New(parent, name string) (p *Server, err error) {
	if parent == "" {
		parent = memory()
	}
	p = &Server{dir: filepath.Join(parent, prefix+strconv.Itoa(os.Getpid())+"-"+name)}
	if p.bin, err = binaries(); err == nil {
		sweep(parent)
		p.owner, err = own(p.dir)
	}
	return p, err
}

// Data is the directory of the server's data.
func (p *Server) Data() string { return filepath.Join(p.dir, "data") }

// PID is the process id of the server's first process, which is the parent of the others.
func (p *Server) PID() int { return p.cmd.Process.Pid }

// Dir is the directory of the server's socket.
func (p *Server) Dir() string { return p.dir }

// URL is the URL of the server's database postgres.
func (p *Server) URL() string { return "postgres://skein@/postgres?host=" + url.QueryEscape(p.dir) }

// Run runs one of PostgreSQL's programs to its end.
func (p *Server) Run(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, name), args...) //nolint:gosec // PostgreSQL's own
	cmd.Dir, cmd.SysProcAttr = p.dir, &syscall.SysProcAttr{Credential: p.owner}
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, said)
	}
	return nil
}

// Init makes an empty cluster of databases, whose superuser is skein.
func (p *Server) Init(ctx context.Context) error {
	return p.Run(ctx, "initdb", "--pgdata", p.Data(), "--username", "skein", "--auth", "trust",
		"--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
}

// Start starts the server and waits until it answers. Of two settings of one name the later counts. The kernel
// ends the server when the thread that started it ends, so that thread is kept until this process ends.
func (p *Server) Start(ctx context.Context, settings ...map[string]string) error {
	p.settings = settings
	args := []string{"-D", p.Data(), "-k", p.dir}
	for _, set := range settings {
		for name, value := range set {
			args = append(args, "-c", name+"="+value)
		}
	}
	p.cmd = exec.Command(filepath.Join(p.bin, "postgres"), args...) //nolint:gosec,noctx // it outlives the test that starts it
	p.cmd.Dir = p.dir
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.owner, Pdeathsig: syscall.SIGQUIT, Setpgid: true}
	begun := make(chan error)
	go func() {
		runtime.LockOSThread()
		if p.Enter != nil {
			if err := p.Enter(); err != nil {
				begun <- err
				return
			}
		}
		begun <- p.cmd.Start()
		select {}
	}()
	if err := <-begun; err != nil {
		return err
	}
	return p.answers(ctx)
}

// End ends the server and removes its files.
func (p *Server) End() {
	if p.cmd != nil && p.cmd.Process != nil {
		_ = p.Signal(syscall.SIGCONT)             // it may have ended, or be stopped
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // likewise
		_ = p.cmd.Wait()
	}
	_ = os.RemoveAll(p.dir) // else the next process sweeps it
}

// answers waits until the server answers.
func (p *Server) answers(ctx context.Context) (err error) {
	for range 300 {
		var conn *pgx.Conn
		if conn, err = pgx.Connect(ctx, p.URL()); err == nil {
			return conn.Close(ctx)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("PostgreSQL does not answer: %w", err)
}

// binaries is the directory of initdb, postgres and pg_basebackup.
func binaries() (string, error) {
	if found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); err == nil && len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("initdb is neither in /usr/lib/postgresql nor in the PATH: run scripts/install.sh")
	}
	return filepath.Dir(path), nil
}

// memory is a directory in memory, or else the one for temporary files.
func memory() string {
	const shm = "/dev/shm"
	if info, err := os.Stat(shm); err == nil && info.IsDir() {
		return shm
	}
	return os.TempDir()
}

// own makes the server's directory. PostgreSQL refuses to run as root: then it runs as
// postgres or nobody.
func own(dir string) (*syscall.Credential, error) {
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil {
		return nil, err
	}
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // as ourselves
	}
	who, err := user.Lookup("postgres")
	if err != nil {
		if who, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.ParseUint(who.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(who.Gid, 10, 32)
	if err := errors.Join(err, err2, os.Chown(dir, int(uid), int(gid))); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// sweep removes what servers of processes that were killed have left.
func sweep(parent string) {
	left, _ := filepath.Glob(filepath.Join(parent, prefix+"*"))
	for _, dir := range left {
		pid, err := strconv.Atoi(strings.Split(strings.TrimPrefix(filepath.Base(dir), prefix), "-")[0])
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(dir)
		}
	}
}
