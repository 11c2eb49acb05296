package sessions

import (
	"cmp"
	"iter"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// The rule of who must go for a login. Every engine decides by it.

// Date gives a login its generation. newest is the greatest generation that exists, next the
// one for a new login. A login that resumes a generation that does not exist yet counts as
// new.
func Date(s *store.Session, newest, next int64) {
	isNew := s.Generation == 0 && !s.Resumed
	if isNew || s.Generation > newest {
		s.Generation, s.Resumed = next, false
	}
}

// Displace returns the sessions of a client that cannot stay beside a login that enters, and
// why. The login has its generation; see Date. Errors: *store.Superseded if one of those
// sessions is newer: then none of them goes.
func Displace(there iter.Seq[*store.Session], l store.Login) ([]store.Displaced, error) {
	displaced := inTheWay(there, l)
	for i := range displaced {
		if newer(&displaced[i].Session, &l.Session) {
			return nil, &store.Superseded{Reason: displaced[i].Reason}
		}
	}
	return displaced, nil
}

// inTheWay are the sessions that cannot stay beside a login, and why.
func inTheWay(there iter.Seq[*store.Session], l store.Login) (out []store.Displaced) {
	var beside []*store.Session
	for other := range there {
		switch {
		case other.ID == l.ID:
		case other.Device == l.Device:
			out = append(out, store.Displaced{Session: *other, Reason: skein.KickReplaced})
		case l.OnePerType && other.DeviceType == l.DeviceType:
			out = append(out, store.Displaced{Session: *other, Reason: skein.KickDeviceType})
		default:
			beside = append(beside, other)
		}
	}
	if tooMany := len(beside) - l.MaxDevices + 1; l.MaxDevices > 0 && tooMany > 0 {
		slices.SortFunc(beside, func(a, b *store.Session) int {
			return cmp.Or(cmp.Compare(a.Generation, b.Generation), cmp.Compare(a.ID, b.ID))
		})
		for _, oldest := range beside[:tooMany] {
			out = append(out, store.Displaced{Session: *oldest, Reason: skein.KickDeviceLimit})
		}
	}
	return out
}

// newer reports whether other is newer than a session that enters.
func newer(other, enters *store.Session) bool {
	bothNew := !other.Resumed && !enters.Resumed
	switch {
	case other.Node == enters.Node && (bothNew || other.Generation == enters.Generation):
		return other.ID > enters.ID
	default:
		return other.Generation > enters.Generation
	}
}
