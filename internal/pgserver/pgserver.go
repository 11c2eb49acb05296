// Package pgserver starts PostgreSQL servers on this machine, from the programs that are installed.
// A server ends with the process that started it, however that ends. Tests and tools use it.
package pgserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein/internal/child"
)

// prefix begins the names of the directories of servers; the id of this process and a name
// follow.
const prefix = "skein-postgres-"

// Server is a server that ends with this process.
type Server struct {
	bin, dir string
	kept     bool // its data outlive it
	owner    *syscall.Credential
	cmd      *exec.Cmd
	ended    <-chan struct{}     // closed when cmd has ended
	settings []map[string]string // of the last start

	// Enter is called on the thread that starts the server, such as to enter a network namespace;
	// nil: nothing is done.
	Enter func() error
}

// Keep is a server whose data stay in a directory, which is made when it is missing. Only the owner
// of the directory can connect, by the socket in it.
func Keep(dir string) (p *Server, err error) {
	p = &Server{dir: dir, kept: true}
	if len(p.dir) > longestDir {
		return nil, fmt.Errorf("%s: at most %d bytes, because PostgreSQL has its socket there", dir, longestDir)
	}
	if p.bin, err = binaries(); err == nil {
		p.owner, err = own(p.dir)
	}
	return p, err
}

// longestDir leaves room for the name of the socket in what systems take for its path.
const longestDir = 103 - len("/.s.PGSQL.5432")

// Made reports whether Init has made the data.
func (p *Server) Made() bool {
	_, err := os.Stat(p.Data())
	return err == nil
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
		err = os.RemoveAll(p.dir)
	}
	if err == nil {
		p.owner, err = own(p.dir)
	}
	return p, err
}

// Data is the directory of the server's data.
func (p *Server) Data() string { return filepath.Join(p.dir, "data") }

// Log is the file of what a server writes whose data are kept.
func (p *Server) Log() string { return filepath.Join(p.dir, "log") }

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

// Init makes an empty cluster of databases, whose superuser is skein. The data get their name when they are
// complete.
func (p *Server) Init(ctx context.Context) error {
	unfinished := p.Data() + ".unfinished"
	args := []string{"--pgdata", unfinished, "--username", "skein", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-instructions"}
	if !p.kept {
		args = append(args, "--no-sync")
	}
	if err := errors.Join(os.RemoveAll(unfinished), p.Run(ctx, "initdb", args...)); err != nil {
		return err
	}
	return os.Rename(unfinished, p.Data())
}

// Start starts the server and waits until it answers. Of two settings of one name the later counts.
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
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.owner}
	if p.kept {
		log, err := os.OpenFile(p.Log(), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		defer log.Close() //nolint:errcheck // the server has it
		p.cmd.Stdout, p.cmd.Stderr = log, log
	}
	var err error
	if p.ended, err = child.Start(p.cmd, syscall.SIGQUIT, p.Enter); err != nil {
		return err
	}
	return p.answers(ctx)
}

// End ends the server, and removes its files unless they are kept.
func (p *Server) End() {
	how := syscall.SIGQUIT // at once
	if p.kept {
		how = syscall.SIGINT // with a checkpoint
	}
	if p.cmd != nil && p.cmd.Process != nil {
		_ = p.Signal(syscall.SIGCONT) // it may have ended, or be stopped
		_ = p.cmd.Process.Signal(how) // likewise
		<-p.ended
	}
	if !p.kept {
		_ = os.RemoveAll(p.dir) // else the next process sweeps it
	}
}

// answers waits until the server answers.
func (p *Server) answers(ctx context.Context) (err error) {
	const tries = 3000 // it may have to recover, or the machine may be busy
	for range tries {
		var conn *pgx.Conn
		if conn, err = pgx.Connect(ctx, p.URL()); err == nil {
			return conn.Close(ctx)
		}
		if ctx.Err() != nil {
			return ctx.Err()
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

// own makes the server's directory, if it does not exist. PostgreSQL refuses to run as root: then it
// runs as postgres or nobody.
func own(dir string) (*syscall.Credential, error) {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
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
	if err := errors.Join(err, err2, os.Chown(dir, int(uid), int(gid)), enterable(dir, who.Username)); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// enterable says which directory above dir other users cannot enter.
func enterable(dir, name string) error {
	for above := filepath.Dir(dir); ; above = filepath.Dir(above) {
		info, err := os.Stat(above)
		if err != nil {
			return err
		}
		if info.Mode()&0o001 == 0 {
			return fmt.Errorf("PostgreSQL does not run as root, and its user %s cannot enter %s: use another directory, or another user than root", name, above)
		}
		if above == filepath.Dir(above) {
			return nil
		}
	}
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
