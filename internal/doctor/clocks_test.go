package doctor

import (
	"testing"
	"time"
)

// wantFinding wants this finding and no other that is not fine; an empty check wants none.
func wantFinding(t *testing.T, e examination, check string, level Level) {
	t.Helper()
	found := false
	for _, one := range e.found {
		if (one.Level == OK) != (one.Do == "") {
			t.Errorf("%+v: want what to do, where something is to be done", one)
		}
		if one.Level == OK {
			continue
		}
		if one.Check != check || one.Level != level {
			t.Errorf("found %+v, want %q at level %s", one, check, level)
		}
		found = true
	}
	if found != (check != "") {
		t.Errorf("found %+v, want %q", e.found, check)
	}
}

func TestTheClocksOfNodesAreComparedThroughTheFolderTheyShare(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, tt := range map[string]struct {
		own, other note
		level      Level // of what is found; OK: nothing
	}{
		"they agree":                   {note{2 * time.Second, now}, note{2 * time.Second, now.Add(-time.Minute)}, OK},
		"the other is ahead":           {note{0, now}, note{-time.Second, now}, Warn},
		"the other is behind":          {note{0, now}, note{time.Second, now}, Warn},
		"the other is far ahead":       {note{0, now}, note{-time.Minute, now}, Fail},
		"its doctor ran last week":     {note{0, now}, note{time.Minute, now.Add(-7 * 24 * time.Hour)}, OK},
		"it could ask no database":     {note{0, now}, note{}, OK},
		"we can ask no database":       {note{}, note{time.Minute, now}, OK},
		"its file is of an older kind": {note{0, now}, readNote("other"), OK},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for host, n := range map[string]note{"this": tt.own, "other": tt.other} {
				if err := leave(dir, host, n); err != nil {
					t.Fatal(err)
				}
			}
			all := notes(dir)
			if len(all) != 2 || all["this"] != tt.own || all["other"] != tt.other {
				t.Fatalf("read back %+v, want %+v and %+v", all, tt.own, tt.other)
			}
			var e examination
			e.peers("this", all)
			check := ""
			if tt.level != OK {
				check = "clocks of nodes"
			}
			wantFinding(t, e, check, tt.level)
		})
	}
}
