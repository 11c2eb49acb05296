package pgtest

import (
	"bytes"
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

// settings make a server that is thrown away fast. It never syncs, and answers only on a
// socket in its own directory.
var settings = map[string]string{
	"fsync": "off", "full_page_writes": "off", "synchronous_commit": "on",
	"listen_addresses": "", "max_connections": "300", "shared_buffers": "48MB",
	"wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "256MB",
	"jit": "off", "autovacuum_naptime": "5s", "log_min_messages": "fatal", "log_min_error_statement": "panic",
}

// prefix begins the names of the directories of servers; the rest is the process's id.
const prefix = "skein-postgres-"

// startServer starts a server that ends with this process, and returns its URL.
func startServer(ctx context.Context) (string, error) {
	bin, err := binaries()
	if err != nil {
		return "", err
	}
	sweep()
	dir := filepath.Join(memory(), prefix+strconv.Itoa(os.Getpid()))
	owner, err := own(dir)
	if err != nil {
		return "", err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), //nolint:gosec // PostgreSQL's own
		"--pgdata", data, "--username", "skein", "--auth", "trust",
		"--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
	initdb.Dir, initdb.SysProcAttr = dir, &syscall.SysProcAttr{Credential: owner}
	if said, err := initdb.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w: %s", err, said)
	}
	args := []string{"-D", data, "-k", dir}
	for name, value := range settings {
		args = append(args, "-c", name+"="+value)
	}
	if err := run(dir, owner, filepath.Join(bin, "postgres"), args); err != nil {
		return "", err
	}
	where := "postgres://skein@/postgres?host=" + url.QueryEscape(dir)
	return where, await(ctx, where)
}

// run starts a program that is killed when this process ends. The kernel kills it when the
// thread that started it ends, so that thread is kept.
func run(dir string, owner *syscall.Credential, program string, args []string) error {
	cmd := exec.Command(program, args...) //nolint:gosec,noctx // it outlives the test that starts it
	var said bytes.Buffer
	cmd.Dir, cmd.Stderr = dir, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner, Pdeathsig: syscall.SIGQUIT, Setpgid: true}
	begun := make(chan error)
	go func() {
		runtime.LockOSThread()
		begun <- cmd.Start()
		select {}
	}()
	return <-begun
}

// await waits until the server answers.
func await(ctx context.Context, where string) (err error) {
	for range 300 {
		var conn *pgx.Conn
		if conn, err = pgx.Connect(ctx, where); err == nil {
			return conn.Close(ctx)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("PostgreSQL does not answer: %w", err)
}

// binaries is the directory of initdb and postgres.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", errors.New("initdb is neither in the PATH nor in /usr/lib/postgresql: run scripts/install.sh")
	}
	return filepath.Dir(found[len(found)-1]), nil
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
func sweep() {
	left, _ := filepath.Glob(filepath.Join(memory(), prefix+"*"))
	for _, dir := range left {
		pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(dir), prefix))
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(dir)
		}
	}
}

// Stop ends the server of this process, which else ends with it, and removes its files.
func (s *Server) Stop() {
	if s.url == "" || os.Getenv("SKEIN_TEST_POSTGRES") != "" {
		return
	}
	dir := filepath.Join(memory(), prefix+strconv.Itoa(os.Getpid()))
	line, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid")) //nolint:gosec // our own
	if err == nil {
		first, _, _ := strings.Cut(string(line), "\n")
		if pid, err := strconv.Atoi(first); err == nil {
			_ = syscall.Kill(pid, syscall.SIGQUIT)
		}
	}
	_ = os.RemoveAll(dir)
}
