package driver

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein/internal/pgserver"
)

// another adds a node to the host.
func (h *Host) another() *Host {
	node := NewHost()
	node.App, node.Key = h.App, h.Key
	h.others = append(h.others, node)
	return node
}

// nodes are all nodes of the host.
func (h *Host) nodes() []*Host { return append([]*Host{h}, h.others...) }

// Node is the nth node.
func (h *Host) Node(n int) *Host { return h.nodes()[n] }

// Nodes counts them.
func (h *Host) Nodes() int { return 1 + len(h.others) }

// At is the node that serves client i. Clients 2n and 2n+1 have different nodes, and every node serves as many even
// clients as odd ones.
func (h *Host) At(i int) *Host {
	all := h.nodes()
	return all[(i/2+i%2)%len(all)]
}

// startCluster runs the nodes on one PostgreSQL. Each has a NATS server in its process.
func (h *Host) startCluster(ctx context.Context, o Options) (err error) {
	defer func() {
		if err != nil {
			h.End()
		}
	}()
	h.App, h.Key = devApp, devKey
	if h.database, err = openDatabase(ctx, o); err != nil {
		return err
	}
	routes := make([]string, o.Nodes)
	for i := range routes {
		routes[i] = freeAddr()
	}
	for i, route := range routes {
		node := h
		if i > 0 {
			node = h.another()
		}
		if err := node.makeDirectory(o); err != nil {
			return err
		}
		args := append(slices.Clone(o.Args), "--dev", "--database", h.database.url, "--uploads", h.Data+"/uploads")
		if o.Nodes > 1 {
			args = append(args, "--bus", fmt.Sprintf("nats://embedded?listen=%s&peers=%s&token=%s", route, strings.Join(routes, ","), "one-secret-of-all-nodes"))
		}
		if err := node.spawn(ctx, o.Program, 0, args...); err != nil {
			return err
		}
	}
	return nil
}

// Kill ends the process of a node.
func (h *Host) Kill() { h.child.End() }

// Forget leaves a node other than the first out of the host.
func (h *Host) Forget(node *Host) {
	h.others = slices.DeleteFunc(h.others, func(other *Host) bool { return other == node })
	node.End()
}

// database is the PostgreSQL of a host.
type database struct {
	url    string
	pid    int              // of its first process
	server *pgserver.Server // nil: it is not ours
}

// durable are the settings of the server that is started: it syncs each commit, as in production, and has the
// memory and the connections that docs/operations.md asks for on a machine of this size.
var durable = map[string]string{
	"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "listen_addresses": "", "max_connections": "300",
	"shared_buffers": "512MB", "max_wal_size": "4GB", "log_min_messages": "warning",
}

// openDatabase is the database that the options name, or a new one.
func openDatabase(ctx context.Context, o Options) (*database, error) {
	if o.Database != "" {
		return &database{url: o.Database, pid: o.DatabasePID}, nil
	}
	server, err := pgserver.New(o.Dir, "bench")
	if err != nil {
		return nil, err
	}
	if err := server.Init(ctx); err != nil {
		server.End()
		return nil, err
	}
	if err := server.Start(ctx, durable); err != nil {
		server.End()
		return nil, err
	}
	return &database{url: server.URL(), pid: server.PID(), server: server}, nil
}

func (d *database) end() {
	if d != nil && d.server != nil {
		d.server.End()
	}
}

// wal is how many bytes of its log the server has written.
func (d *database) wal(ctx context.Context) (bytes int64, err error) {
	if d.url == "" {
		return 0, nil
	}
	conn, err := pgx.Connect(ctx, d.url)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx) //nolint:errcheck // it was only read
	return bytes, conn.QueryRow(ctx, `SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint`).Scan(&bytes)
}
