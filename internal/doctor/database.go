package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skein-im/skein/internal/store/postgres/facts"
)

// Bounds of what is fine.
const (
	leastVersion = 150_000
	clockApart   = 500 * time.Millisecond
	clockWrong   = 5 * time.Second
	longWrite    = 30 * time.Second // a statement of a node ends after it
	oldAge       = 500_000_000      // transactions; autovacuum begins at 200 million, PostgreSQL stops at 2 billion
	deadAge      = 1_500_000_000
)

// own is how many connections a node has beside its pool: one stores messages, one enters logins, one asks whether
// the database takes writes.
const own = 3

// database judges a database.
func (e *examination) database(f facts.Facts) {
	e.schema(f)
	e.durable(f)
	e.current = e.current && !Failed(e.found) // a store is not opened where answered writes may be lost
	e.connections(f)
	e.horizon(f)
	e.vacuum(f)
	apart := f.Clock.Abs()
	level := Warn
	if apart > clockWrong {
		level = Fail
	}
	e.judge("clock", apart <= clockApart, level, fmt.Sprintf("the database's clock is %v ahead of this machine's", f.Clock.Round(time.Millisecond)),
		"let both follow NTP: the times of messages, bans and tokens come from the nodes' clocks, leases from the database's")
	e.judge("round trip", f.Trip < slowTrip, Warn, f.Trip.Round(time.Microsecond).String(), "put the nodes and the database into one network: a send waits for two round trips")
	if f.DataDir != "" {
		e.space("database disk", f.DataDir)
	}
}

func (e *examination) schema(f facts.Facts) {
	e.judge("PostgreSQL", f.Version >= leastVersion, Fail, fmt.Sprintf("version %d.%d", f.Version/10_000, f.Version%10_000), "use PostgreSQL 15 or newer")
	switch {
	case f.Migration.State != "":
		e.add("schema", Fail, "skein migrate is filling this database", "let it end, or start it again; docs/operations.md, Moving to PostgreSQL")
	case f.Migration.Sealed:
		e.add("schema", Fail, "this database has moved to "+f.Migration.Other, "use that one, or skein migrate --cancel")
	case f.Migration.ID != "":
		e.add("schema", Warn, "a migration to "+f.Migration.Other+" is under way, or was given up", "end it, or skein migrate --cancel: every write notes a row for it")
	case f.Schema == 0:
		e.add("schema", OK, "the database is empty: the first server makes the tables", "")
	case f.Schema < f.Newest:
		e.add("schema", Warn, fmt.Sprintf("version %d, this skein has %d", f.Schema, f.Newest), "start a server of this version: it migrates the schema")
	case f.Schema > f.Newest:
		e.add("schema", Warn, fmt.Sprintf("version %d, this skein has %d", f.Schema, f.Newest), "upgrade this node: a newer one runs already")
	default:
		e.current = true
		e.add("schema", OK, fmt.Sprintf("version %d, %d MiB", f.Schema, f.Bytes>>20), "")
	}
}

// durable checks that what is answered is on the disk, and on the standby.
func (e *examination) durable(f facts.Facts) {
	for _, name := range []string{"synchronous_commit", "fsync", "full_page_writes"} {
		e.judge(name, f.Settings[name] != "off", Fail, f.Settings[name], "set "+name+" = on: an answered message could be lost")
	}
	e.judge("data_checksums", f.Settings["data_checksums"] != "off", Warn, f.Settings["data_checksums"], "run pg_checksums --enable while the server is stopped: without it a bad disk is not noticed")
	names := f.Settings["synchronous_standby_names"]
	switch {
	case names != "" && f.SeesAll && f.Synchronous == 0:
		e.add("standby", Fail, fmt.Sprintf("synchronous_standby_names is %q and none of them is connected: no write ends", names), "start the standby, or take it out of synchronous_standby_names")
	case names == "" && f.Standbys > 0:
		e.add("standby", Warn, fmt.Sprintf("%d connected, none synchronous", f.Standbys), "set synchronous_standby_names: after a failover the newest answered messages may be missing")
	case names == "":
		e.add("standby", OK, "none: the database is as durable as its disk", "")
	default:
		e.add("standby", OK, fmt.Sprintf("%d connected, %d synchronous", f.Standbys, f.Synchronous), "")
	}
}

func (e *examination) connections(f facts.Facts) {
	most, _ := strconv.Atoi(f.Settings["max_connections"])
	reserved, _ := strconv.Atoi(f.Settings["superuser_reserved_connections"])
	nodes := max(f.Leases, 1)
	const commands = 5 // of operators
	need := nodes*(f.Pool+own) + commands
	e.judge("max_connections", most-reserved >= need, Fail, fmt.Sprintf("%d, of which %d are reserved; %d nodes of %d connections and some commands take %d; %d are open now", most, reserved, nodes, f.Pool+own, need, f.Connections),
		fmt.Sprintf("raise max_connections to %d, or lower pool_max_conns in the URL of --database", need+reserved))
	e.add("nodes", OK, fmt.Sprintf("%d hold a lease", f.Leases), "")
	e.versions(slices.Sorted(maps.Keys(f.Nodes)))
}

// versions compares the versions that nodes put into their application_name.
func (e *examination) versions(names []string) {
	var versions []string
	for _, name := range names {
		if v, ok := strings.CutPrefix(name, "skein "); ok && v != "migrate" && v != "doctor" {
			versions = append(versions, v)
		}
	}
	if len(versions) > 0 {
		e.judge("versions", len(versions) == 1, Warn, strings.Join(versions, ", "), "end the rolling upgrade: two versions should not run beside each other for long")
	}
}

// horizon checks what holds back the cursors of sync and of the feed.
func (e *examination) horizon(f facts.Facts) {
	e.judge("max_prepared_transactions", f.Settings["max_prepared_transactions"] == "0", Warn, f.Settings["max_prepared_transactions"], "set it to 0: Skein needs none, and a forgotten one stops sync and the feed")
	e.judge("prepared transactions", f.Prepared == 0, Fail, strconv.Itoa(f.Prepared), "COMMIT PREPARED or ROLLBACK PREPARED those in pg_prepared_xacts: they stop sync and the feed")
	e.judge("idle_in_transaction_session_timeout", f.Settings["idle_in_transaction_session_timeout"] != "0", Warn, f.Settings["idle_in_transaction_session_timeout"]+" ms",
		"ALTER SYSTEM SET idle_in_transaction_session_timeout = '60s': a session that somebody forgot stops sync and the feed (nodes set their own)")
	if !f.SeesAll {
		e.add("oldest write", Warn, "this user does not see what other users do", "GRANT pg_monitor TO this user, so that the doctor and alerts see it")
	} else {
		saw := "none"
		if f.OldestBy != "" {
			saw = fmt.Sprintf("open for %v: %s", f.OldestWrite.Round(time.Second), f.OldestBy)
		}
		e.judge("oldest write", f.OldestWrite < longWrite, Fail, saw, "SELECT pg_terminate_backend(pid): until it ends, sync and the feed tell nothing newer again and again")
	}
	e.judge("other databases", len(f.Others) == 0, Warn, or(strings.Join(f.Others, ", "), "none"), "give Skein a server of its own: a long transaction in another database stops sync and the feed too")
	e.judge("replication slots", len(f.IdleSlots) == 0, Warn, or(strings.Join(f.IdleSlots, ", "), "none is idle"), "start who reads them, or pg_drop_replication_slot: an idle one keeps the log until the disk is full")
}

func (e *examination) vacuum(f facts.Facts) {
	on := f.Settings["autovacuum"] == "on" && f.Settings["track_counts"] == "on"
	e.judge("autovacuum", on, Fail, fmt.Sprintf("autovacuum %s, track_counts %s", f.Settings["autovacuum"], f.Settings["track_counts"]), "turn both on: tables grow without end, and PostgreSQL stops in the end")
	level := Warn
	if f.Age > deadAge {
		level = Fail
	}
	e.judge("oldest transaction id", f.Age < oldAge, level, fmt.Sprintf("%d transactions ago", f.Age), "find out why autovacuum does not freeze: an old transaction, a slot, a standby with hot_standby_feedback")
	e.judge("dead rows", len(f.Bloated) == 0, Warn, or(strings.Join(f.Bloated, ", "), "vacuumed in time"), "VACUUM these tables, and give autovacuum more (autovacuum_max_workers, autovacuum_vacuum_cost_limit)")
}

func or(text, instead string) string {
	if text == "" {
		return instead
	}
	return text
}
