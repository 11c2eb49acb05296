package sqlite

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
type stamps struct {
	last    int64
	ceiling int64 // zero: to be read
}

// stampAhead is how far a ceiling is set above the stamp that reached it.
const stampAhead = int64(time.Second / time.Microsecond)

// takeStamp is the stamp of the group's commit. It is taken before any job runs,
// outside their savepoints.
func (g *group) takeStamp(s *stamps, now time.Time) error {
	if s.ceiling == 0 {
		_, err := g.row(func(r *sqlite3.Stmt) { s.ceiling = r.ColumnInt64(0) }, `SELECT ceiling FROM history`)
		if err != nil {
			return err
		}
		s.last = max(s.last, s.ceiling)
	}
	s.last = max(s.last+1, now.UnixMicro())
	g.stamp = s.last
	if s.last < s.ceiling {
		return nil
	}
	s.ceiling = s.last + stampAhead
	return g.exec(`UPDATE history SET ceiling = ?1`, s.ceiling)
}
