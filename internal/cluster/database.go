package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/skein-im/skein/internal/pgserver"
)

// database is the PostgreSQL of the cluster.
type database struct {
	url string // of the nodes' database
	log string // file
	end func()
}

// connectionsOfNode is how many connections a node may open, with room for commands beside it.
const connectionsOfNode = 25

// startDatabase starts the PostgreSQL in dir, which it makes when missing, with a database for the
// nodes.
func startDatabase(ctx context.Context, dir string, nodes int) (d database, err error) {
	server, err := pgserver.Keep(dir)
	if err != nil {
		return d, fmt.Errorf("PostgreSQL: %w", err)
	}
	if !server.Made() {
		if err := server.Init(ctx); err != nil {
			return d, fmt.Errorf("PostgreSQL: %w", err)
		}
	}
	err = server.Start(ctx, map[string]string{
		"listen_addresses": "", "max_connections": strconv.Itoa(connectionsOfNode * (nodes + 1)),
	})
	if err == nil {
		err = create(ctx, server.URL())
	}
	if err != nil {
		server.End()
		return d, fmt.Errorf("PostgreSQL (its log: %s): %w", server.Log(), err)
	}
	u, err := url.Parse(server.URL())
	if err != nil {
		server.End()
		return d, err
	}
	u.Path = "/skein"
	return database{url: u.String(), log: server.Log(), end: server.End}, nil
}

// create makes the nodes' database, if there is none.
func create(ctx context.Context, server string) error {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer conn.Close(ctx) //nolint:errcheck // nothing is lost with it
	_, err = conn.Exec(ctx, `CREATE DATABASE skein`)
	var is *pgconn.PgError
	if errors.As(err, &is) && is.Code == "42P04" {
		return nil // duplicate_database
	}
	return err
}
