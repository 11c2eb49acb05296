package chaos

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein/internal/pgserver"
)

// database is a primary that waits for a synchronous standby with each commit.
type database struct {
	hosts   [2]string // as a URL names them
	servers [2]*pgserver.Server
	primary int  // of servers
	alone   bool // the primary was promoted, and the other one is lost
}

// quick makes servers that are thrown away. The machine does not lose power, so that nothing needs to
// be synced.
var quick = map[string]string{
	"fsync": "off", "full_page_writes": "off", "shared_buffers": "48MB", "max_connections": "150", "jit": "off",
	"wal_level": "replica", "hot_standby": "on", "max_wal_senders": "4", "max_wal_size": "256MB", "wal_retrieve_retry_interval": "500ms",
	"log_min_messages": "fatal", "log_min_error_statement": "panic", "listen_addresses": "",
}

// machinesOfDatabase are where the two servers run, if there is a network.
var machinesOfDatabase = [2]string{"db0", "db1"}

// newDatabase starts both servers, on machines of a network; nil: on this one.
func newDatabase(ctx context.Context, name string, on *namespaces) (d *database, err error) {
	d = &database{}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	for i := range d.servers {
		p, err := pgserver.New("", fmt.Sprintf("%s-%d", name, i))
		if err != nil {
			return d, err
		}
		d.servers[i], d.hosts[i] = p, p.Dir()
		if on != nil {
			p.Enter, d.hosts[i] = on.enter(machinesOfDatabase[i]), on.ip(machinesOfDatabase[i])
		}
	}
	first, second := d.servers[0], d.servers[1]
	if err := first.Init(ctx); err != nil {
		return d, err
	}
	if err := admitAll(filepath.Join(first.Data(), "pg_hba.conf")); err != nil {
		return d, err
	}
	if err := first.Start(ctx, quick, d.settings(0, on)); err != nil {
		return d, err
	}
	if err := second.Run(ctx, "pg_basebackup", "-d", first.URL(), "-D", second.Data(), "-R", "-c", "fast", "--no-sync"); err != nil {
		return d, err
	}
	if err := second.Start(ctx, quick, d.settings(1, on)); err != nil {
		return d, err
	}
	return d, errors.Join(
		d.do(ctx, 0, `ALTER SYSTEM SET synchronous_standby_names = '*'`), d.do(ctx, 0, `SELECT pg_reload_conf()`), d.waitForStandby(ctx))
}

// settings are those of one server.
func (d *database) settings(i int, on *namespaces) map[string]string {
	s := map[string]string{"primary_conninfo": "user=skein host=" + d.hosts[1-i]}
	if on != nil {
		s["listen_addresses"] = d.hosts[i]
	}
	return s
}

// admitAll lets everybody in who can reach the server.
func admitAll(path string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("\nhost all,replication all 0.0.0.0/0 trust\n")
	return errors.Join(err, f.Close())
}

// url is what nodes are given.
func (d *database) url() string {
	return "postgres://skein@/postgres?sslmode=disable&host=" + url.QueryEscape(d.hosts[0]+","+d.hosts[1])
}

// do runs a statement on a server, past the network.
func (d *database) do(ctx context.Context, server int, sql string) error {
	conn, err := pgx.Connect(ctx, d.servers[server].URL())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

// waitForStandby waits until commits wait for the standby.
func (d *database) waitForStandby(ctx context.Context) error {
	for deadline := time.Now().Add(startWait); ; {
		err := d.do(ctx, d.primary, `SELECT 1 / count(*) FROM pg_stat_replication WHERE sync_state = 'sync'`)
		if err == nil || time.Now().After(deadline) {
			return err
		}
		pause(ctx, 20*time.Millisecond)
	}
}

func (d *database) first() *pgserver.Server   { return d.servers[d.primary] }
func (d *database) standby() *pgserver.Server { return d.servers[1-d.primary] }

// promote makes the standby the primary; the one before is lost for good.
func (d *database) promote(ctx context.Context) error {
	d.primary, d.alone = 1-d.primary, true
	return d.do(ctx, d.primary, `SELECT pg_promote()`)
}

// crash ends one backend as the kernel does that lacks memory: PostgreSQL then ends all others
// and starts anew, without the tables that are not logged.
func (d *database) crash() error {
	if pid := d.first().Backend(); pid != 0 {
		return syscall.Kill(pid, syscall.SIGKILL)
	}
	return nil
}

func (d *database) close() {
	for _, s := range d.servers {
		if s != nil {
			s.End()
		}
	}
}
