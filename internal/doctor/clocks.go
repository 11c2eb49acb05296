package doctor

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/skein-im/skein/internal/datadir"
)

// seen begins the name of a file that the doctor leaves in the folder of the uploads, one a machine. It holds the
// machine's name, and how far its clock was behind the database's, and when that was; "unknown" where there was no
// database.
const seen = ".doctor-"

// stale is the age from which the clock of another machine says nothing about it today.
const stale = 24 * time.Hour

// note is what a machine's file says.
type note struct {
	behind time.Duration // the database's clock is so far ahead of the machine's
	at     time.Time     // zero: it is unknown
}

func (n note) text(host string) string {
	if n.at.IsZero() {
		return host + "\nunknown\n"
	}
	return fmt.Sprintf("%s\n%d %s\n", host, n.behind.Microseconds(), n.at.UTC().Format(time.RFC3339))
}

func readNote(text string) (n note) {
	var micros int64
	var at string
	_, behind, _ := strings.Cut(text, "\n")
	if _, err := fmt.Sscan(behind, &micros, &at); err != nil {
		return note{}
	}
	when, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return note{}
	}
	return note{time.Duration(micros) * time.Microsecond, when}
}

// leave leaves this machine's file and reads it back.
func leave(dir, host string, n note) error {
	path, text := filepath.Join(dir, seen+host), n.text(host)
	if err := os.WriteFile(path, []byte(text), datadir.PrivateFile); err != nil {
		return err
	}
	back, err := os.ReadFile(path) //nolint:gosec // just written
	if err == nil && string(back) != text {
		err = fmt.Errorf("%s does not hold what was written", path)
	}
	return err
}

// notes are the files of all machines.
func notes(dir string) map[string]note {
	all := map[string]note{}
	names, _ := filepath.Glob(filepath.Join(dir, seen+"*"))
	for _, name := range names {
		text, _ := os.ReadFile(name) //nolint:gosec // another doctor wrote it; one that cannot be read names no clock
		all[strings.TrimPrefix(filepath.Base(name), seen)] = readNote(string(text))
	}
	return all
}

// peers compares the clocks of the machines by way of the database's.
func (e *examination) peers(host string, all map[string]note) {
	own := all[host]
	if own.at.IsZero() {
		return // there is no database to compare by
	}
	apart := time.Duration(0)
	var saw []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		n := all[name]
		if name == host || n.at.IsZero() || own.at.Sub(n.at).Abs() > stale {
			continue
		}
		ahead := own.behind - n.behind
		apart = max(apart, ahead.Abs())
		saw = append(saw, fmt.Sprintf("%s %+dms (%v ago)", name, ahead.Milliseconds(), max(0, own.at.Sub(n.at)).Round(time.Second)))
	}
	if len(saw) == 0 {
		e.add("clocks of nodes", OK, "the doctor has not run on another machine today", "")
		return
	}
	level := Warn
	if apart > clockWrong {
		level = Fail
	}
	e.judge("clocks of nodes", apart <= clockApart, level, "ahead of this machine's: "+strings.Join(saw, ", "),
		"let all machines follow NTP, then run the doctor on each of them again: messages get their times, and tokens and bans end, by the clock of the node that has the client")
}
