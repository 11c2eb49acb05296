package tx

import (
	"time"

	"github.com/ncruces/go-sqlite3"
)

// A stamp is the place of a commit among all commits: it is greater than every
// stamp before it, so that "what has changed since" is a range of an index. It is
// about the time of the commit in microseconds, which a clock that is put back does
// not make smaller. The row of table history holds a ceiling that no stamp has
// reached, written once in a while rather than in every commit: after a crash
// counting goes on from there, and a cursor above it is of another history.
//
// The ceiling rises above such a cursor with the first commit, so the first commit
// after an opening also keeps from where to where no stamp was given out: table
// pauses. A cursor in a pause is of a history that is not this file's, such as that
// of the file before it, when somebody has put an older copy in its place.
type stamps struct {
	last    int64
	ceiling int64 // zero: to be read
	begun   bool  // something was committed since the opening
}

// stampAhead is how far a ceiling is set above the stamp that reached it.
const stampAhead = int64(time.Second / time.Microsecond)

// takeStamp is the stamp of the group's commit. It is taken before any job runs,
// outside their savepoints.
func (g *Group) takeStamp(s *stamps, now time.Time) error {
	if s.ceiling == 0 {
		var err error
		if s.ceiling, err = g.Conn.ceiling(); err != nil {
			return err
		}
		s.last = max(s.last, s.ceiling)
	}
	s.last = max(s.last+1, now.UnixMicro())
	g.Stamp = s.last
	if !s.begun && s.last > s.ceiling+1 {
		if err := g.keepPause(s.ceiling, s.last); err != nil {
			return err
		}
	}
	if s.last < s.ceiling {
		return nil
	}
	s.ceiling = s.last + stampAhead
	return g.Exec(`UPDATE history SET ceiling = ?1`, s.ceiling)
}

// ceiling is above every stamp so far.
func (c Conn) ceiling() (ceiling int64, err error) {
	_, err = c.Row(func(r *sqlite3.Stmt) { ceiling = r.ColumnInt64(0) }, `SELECT ceiling FROM history`)
	return ceiling, err
}

// maxPauses bounds how many are kept: older cursors are for the ceiling to know.
const maxPauses = 1000

// keepPause says that the stamps between two are none of this history.
func (g *Group) keepPause(after, until int64) error {
	if err := g.Exec(`INSERT OR REPLACE INTO pauses (after, until) VALUES (?1, ?2)`, after, until); err != nil {
		return err
	}
	return g.Exec(`DELETE FROM pauses WHERE after <= (SELECT after FROM pauses ORDER BY after DESC LIMIT 1 OFFSET ?1)`, maxPauses)
}

// Paused reports whether no commit of this history has had the stamp.
func (c Conn) Paused(stamp int64) (in bool, err error) {
	_, err = c.Row(func(r *sqlite3.Stmt) { in = r.ColumnInt64(0) > stamp },
		`SELECT until FROM pauses WHERE after < ?1 ORDER BY after DESC LIMIT 1`, stamp)
	return in, err
}
