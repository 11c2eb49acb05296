package tx

import (
	"time"

	"github.com/ncruces/go-sqlite3"
)

// stamps gives each commit a stamp. Each stamp is greater than all before it, so "what changed
// since" is a range of an index. A stamp is about the time of the commit in microseconds, but
// never falls when the clock is set back. Table history holds a ceiling that no stamp has
// reached; it is written now and then, not in every commit. After a crash the stamps continue
// from the ceiling, and a cursor above it belongs to another history.
//
// The first commit after an opening may raise the ceiling above such a cursor. It therefore
// also records in table pauses the range in which no stamp was given out. A cursor inside a
// pause belongs to another history: somebody may have replaced the file by an older copy.
type stamps struct {
	last    int64
	ceiling int64 // zero: to be read
	begun   bool  // something was committed since the opening
}

// stampAhead is how far a ceiling is set above the stamp that reached it.
const stampAhead = int64(time.Second / time.Microsecond)

// takeStamp sets the stamp of the group's commit. It runs before the first job, outside the
// jobs' savepoints.
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

// ceiling is greater than every stamp so far.
func (c Conn) ceiling() (ceiling int64, err error) {
	_, err = c.Row(func(r *sqlite3.Stmt) { ceiling = r.ColumnInt64(0) }, `SELECT ceiling FROM history`)
	return ceiling, err
}

// maxPauses bounds how many pauses are kept.
const maxPauses = 1000

// keepPause records that no commit of this history has a stamp between the two.
func (g *Group) keepPause(after, until int64) error {
	if err := g.Exec(`INSERT OR REPLACE INTO pauses (after, until) VALUES (?1, ?2)`, after, until); err != nil {
		return err
	}
	return g.Exec(`DELETE FROM pauses WHERE after <= (SELECT after FROM pauses ORDER BY after DESC LIMIT 1 OFFSET ?1)`, maxPauses)
}

// Paused reports whether the stamp lies in a pause, so that no commit of this history had it.
func (c Conn) Paused(stamp int64) (in bool, err error) {
	_, err = c.Row(func(r *sqlite3.Stmt) { in = r.ColumnInt64(0) > stamp },
		`SELECT until FROM pauses WHERE after < ?1 ORDER BY after DESC LIMIT 1`, stamp)
	return in, err
}
