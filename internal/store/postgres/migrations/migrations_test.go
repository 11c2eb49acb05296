package migrations

import (
	"regexp"
	"strings"
	"testing"
)

// takesAway finds what nodes of the release before may still use or cannot know, in a migration
// without its comments. The first new node migrates the database while the others go on.
var takesAway = regexp.MustCompile(`(?i)\bdrop\s+(table|column|function|view)\b|\brename\b|\balter\s+column\s+\w+\s+(set\s+data\s+)?type\b|\bset\s+not\s+null\b|\badd\s+column\b[^,;]*\bnot\s+null\b[^,;]*`)

// breaksOlder is what of a migration ends the older release; empty: nothing, or the migration says
// so by raising history.least_binary, so that older nodes do not start on it.
func breaksOlder(sql string) string {
	var plain strings.Builder
	for line := range strings.Lines(sql) {
		before, _, _ := strings.Cut(line, "--")
		plain.WriteString(before + "\n")
	}
	if strings.Contains(plain.String(), "least_binary =") {
		return ""
	}
	for _, found := range takesAway.FindAllString(plain.String(), -1) {
		if !strings.Contains(strings.ToLower(found), "default") {
			return found
		}
	}
	return ""
}

func TestTheOlderReleaseGoesOnBesideEveryMigration(t *testing.T) {
	files, err := Files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		sql, err := Files.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if what := breaksOlder(string(sql)); what != "" {
			t.Errorf("%s: %q: nodes of the older release run beside this schema during a rolling upgrade; take it away one release later, or raise history.least_binary",
				f.Name(), what)
		}
	}
}

func TestWhatTakesSomethingAwayIsFound(t *testing.T) {
	for sql, want := range map[string]string{
		"ALTER TABLE members DROP COLUMN draft;":                                         "DROP COLUMN",
		"DROP TABLE refill;":                                                             "DROP TABLE",
		"drop function stamp();":                                                         "drop function",
		"ALTER TABLE members\n  RENAME COLUMN draft TO note;":                            "RENAME",
		"ALTER TABLE members ALTER COLUMN draft TYPE bytea;":                             "ALTER COLUMN draft TYPE",
		"ALTER TABLE members ALTER COLUMN draft SET NOT NULL;":                           "SET NOT NULL",
		"ALTER TABLE members ADD COLUMN place text NOT NULL;":                            "ADD COLUMN place text NOT NULL",
		"ALTER TABLE members ADD COLUMN place text NOT NULL DEFAULT '';":                 "",
		"ALTER TABLE members ADD COLUMN place bigint DEFAULT 0 NOT NULL;":                "",
		"ALTER TABLE members ADD COLUMN place text; -- NOT NULL later, then DROP COLUMN": "",
		"DROP INDEX members_by_joining;":                                                 "",
		"ALTER TABLE members DROP COLUMN draft; UPDATE history SET least_binary = 9;":    "",
	} {
		if got := breaksOlder(sql); got != want {
			t.Errorf("%s\ngot  %q\nwant %q", sql, got, want)
		}
	}
}
