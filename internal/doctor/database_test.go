package doctor

import (
	"maps"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/store/postgres/facts"
)

// healthy is a database that nothing is wrong with.
func healthy() facts.Facts {
	return facts.Facts{
		Version: 150_004, Schema: 3, Newest: 3, SeesAll: true, Standbys: 1, Synchronous: 1, Leases: 3, Pool: 16, Age: 1_000_000, Trip: time.Millisecond,
		Nodes: map[string]int{"skein 1.0.0": 57},
		Settings: map[string]string{
			"synchronous_commit": "on", "fsync": "on", "full_page_writes": "on", "data_checksums": "on", "synchronous_standby_names": "*", "max_prepared_transactions": "0",
			"max_connections": "100", "superuser_reserved_connections": "3", "idle_in_transaction_session_timeout": "60000", "statement_timeout": "0", "autovacuum": "on", "track_counts": "on",
		},
	}
}

func setting(name, value string) func(*facts.Facts) {
	return func(f *facts.Facts) { f.Settings[name] = value }
}

func TestOneWrongFactIsOneFindingThatSaysWhatToDo(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(*facts.Facts)
		check string // empty: nothing is found
		level Level
	}{
		"nothing is wrong":                      {func(*facts.Facts) {}, "", ""},
		"PostgreSQL is too old":                 {func(f *facts.Facts) { f.Version = 140_011 }, "PostgreSQL", Fail},
		"the schema is older":                   {func(f *facts.Facts) { f.Schema = 2 }, "schema", Warn},
		"the schema is newer":                   {func(f *facts.Facts) { f.Schema = 4 }, "schema", Warn},
		"the database is empty":                 {func(f *facts.Facts) { f.Schema = 0 }, "", ""},
		"a migration fills it":                  {func(f *facts.Facts) { f.Migration.State = "{}" }, "schema", Fail},
		"it has moved":                          {func(f *facts.Facts) { f.Migration.Sealed = true }, "schema", Fail},
		"a migration follows it":                {func(f *facts.Facts) { f.Migration.ID = "x" }, "schema", Warn},
		"commits do not wait":                   {setting("synchronous_commit", "off"), "synchronous_commit", Fail},
		"nothing is synced":                     {setting("fsync", "off"), "fsync", Fail},
		"pages may be torn":                     {setting("full_page_writes", "off"), "full_page_writes", Fail},
		"pages have no checksums":               {setting("data_checksums", "off"), "data_checksums", Warn},
		"the synchronous standby is away":       {func(f *facts.Facts) { f.Standbys, f.Synchronous = 0, 0 }, "standby", Fail},
		"the standby is not synchronous":        {setting("synchronous_standby_names", ""), "standby", Warn},
		"no standby at all":                     {func(f *facts.Facts) { f.Standbys, f.Settings["synchronous_standby_names"] = 0, "" }, "", ""},
		"too few connections for the nodes":     {func(f *facts.Facts) { f.Leases = 5 }, "max_connections", Fail},
		"two versions of nodes":                 {func(f *facts.Facts) { f.Nodes["skein 1.1.0"] = 18 }, "versions", Warn},
		"a command runs beside the nodes":       {func(f *facts.Facts) { f.Nodes["skein migrate"] = 1 }, "", ""},
		"prepared transactions are allowed":     {setting("max_prepared_transactions", "10"), "max_prepared_transactions", Warn},
		"a transaction is prepared":             {func(f *facts.Facts) { f.Prepared = 1 }, "prepared transactions", Fail},
		"idle transactions never end":           {setting("idle_in_transaction_session_timeout", "0"), "idle_in_transaction_session_timeout", Warn},
		"a transaction is open for long":        {func(f *facts.Facts) { f.OldestWrite, f.OldestBy = time.Minute, "pid 1" }, "oldest write", Fail},
		"a transaction is open":                 {func(f *facts.Facts) { f.OldestWrite, f.OldestBy = time.Second, "pid 1" }, "", ""},
		"others cannot be seen":                 {func(f *facts.Facts) { f.SeesAll = false }, "oldest write", Warn},
		"another database on the server":        {func(f *facts.Facts) { f.Others = []string{"wiki"} }, "other databases", Warn},
		"a slot that nobody reads":              {func(f *facts.Facts) { f.IdleSlots = []string{"old"} }, "replication slots", Warn},
		"no autovacuum":                         {setting("autovacuum", "off"), "autovacuum", Fail},
		"autovacuum is not told":                {setting("track_counts", "off"), "autovacuum", Fail},
		"nothing was frozen for long":           {func(f *facts.Facts) { f.Age = 600_000_000 }, "oldest transaction id", Warn},
		"PostgreSQL will stop soon":             {func(f *facts.Facts) { f.Age = 1_600_000_000 }, "oldest transaction id", Fail},
		"a table is not vacuumed":               {func(f *facts.Facts) { f.Bloated = []string{"messages"} }, "dead rows", Warn},
		"the clocks are apart":                  {func(f *facts.Facts) { f.Clock = -time.Second }, "clock", Warn},
		"the clocks are far apart":              {func(f *facts.Facts) { f.Clock = time.Minute }, "clock", Fail},
		"the database is in another city":       {func(f *facts.Facts) { f.Trip = 30 * time.Millisecond }, "round trip", Warn},
		"many nodes fit into the connections":   {func(f *facts.Facts) { f.Leases = 4 }, "", ""},
		"a pool that the operator made smaller": {func(f *facts.Facts) { f.Leases, f.Pool = 6, 8 }, "", ""},
		"no node has put its version in a name": {func(f *facts.Facts) { f.Nodes = map[string]int{"skein": 18} }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy()
			tt.spoil(&f)
			var e examination
			e.database(f)
			got := map[string]Level{}
			for _, one := range e.found {
				if one.Level != OK {
					got[one.Check] = one.Level
				}
				if (one.Level == OK) != (one.Do == "") {
					t.Errorf("%+v: want what to do, where something is to be done", one)
				}
			}
			want := map[string]Level{}
			if tt.check != "" {
				want[tt.check] = tt.level
			}
			if !maps.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}
