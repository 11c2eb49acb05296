package sqlite

import (
	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// mustTake returns why the first client that cannot be added to a conversation of type t
// cannot be added; nil: all can. See store.Members.
func (g group) mustTake(app string, t skein.ConvType, clients []string, limit store.MemberLimit) error {
	for _, client := range clients {
		add := adding{g, app, client, limit}
		if err := add.allowed(t); err != nil {
			return err
		}
		full, err := add.full(t)
		if err != nil {
			return err
		}
		if full {
			return skein.About(skein.ErrTooLarge, client)
		}
	}
	return nil
}

// adding is one client that is to be added.
type adding struct {
	group

	app, client string
	limit       store.MemberLimit
}

// byItself reports whether no other client adds it.
func (a adding) byItself() bool { return a.limit.Adder == "" || a.limit.Adder == a.client }

// allowed checks that the client lets the adder add it. Anyone may begin a private
// conversation: it is how two clients come to know each other.
func (a adding) allowed(t skein.ConvType) error {
	if a.byItself() || t == skein.Private {
		return nil
	}
	var chosen skein.AddBy
	_, err := a.Row(func(r *sqlite3.Stmt) { chosen = engine.Small[skein.AddBy](r, 0) },
		`SELECT add_by FROM clients WHERE app_key = `+tx.AppKey+` AND id = ?2`, a.app, a.client)
	if err != nil {
		return err
	}
	allowed := true
	switch chosen.Or(a.limit.AddBy) {
	case skein.AddByNobody:
		allowed = false
	case skein.AddByKnown:
		allowed, err = a.knows()
	}
	if err == nil && !allowed {
		err = &skein.Fault{Err: skein.ErrForbidden, Field: a.client, Detail: "does not allow you to add it"}
	}
	return err
}

// full reports whether the client may not be in one more conversation added by this adder.
func (a adding) full(t skein.ConvType) (bool, error) {
	most := a.limit.PerClient
	if most <= 0 {
		return false, nil
	}
	if a.byItself() {
		return a.isFull(a.app, a.client, most)
	}
	full, err := a.isFull(a.app, a.client, skein.AdderStranger.Share(most, t))
	if err == nil && full {
		var known bool
		if known, err = a.knows(); err == nil && known {
			full, err = a.isFull(a.app, a.client, skein.AdderKnown.Share(most, t))
		}
	}
	if err != nil || full {
		return full, err
	}
	return a.addedEnough(skein.MostOfOneAdder(most))
}

// addedEnough reports whether this adder has already added the client to that many
// conversations. It need not count while the client is in fewer.
func (a adding) addedEnough(most int) (bool, error) {
	if n, _ := a.Known.Count(a.app, a.client); n < most {
		return false, nil
	}
	n, err := a.Count(`SELECT count(*) FROM (SELECT 1 FROM members
		WHERE app_key = `+tx.AppKey+` AND client_id = ?2 AND adder = ?3 LIMIT ?4)`, a.app, a.client, a.limit.Adder, most)
	if err == nil && n >= most {
		n, err = a.Count(`SELECT count(*) FROM (SELECT 1 FROM members m JOIN conversations c ON c.conv_key = m.conv_key
			WHERE m.app_key = `+tx.AppKey+` AND m.client_id = ?2 AND m.adder = ?3 AND c.deleted = 0 AND c.expires > ?5 LIMIT ?4)`,
			a.app, a.client, a.limit.Adder, most, a.Now)
	}
	return n >= most, err
}

// knows reports whether the client and the adder have both sent a message in their private
// conversation. It may not see the messages of the running group commit.
func (a adding) knows() (bool, error) {
	first, second := inOrder(a.client, a.limit.Adder)
	n, err := a.Count(`SELECT count(*) FROM private_pairs p
		JOIN conversations c ON c.conv_key = p.conv_key JOIN members m ON m.conv_key = p.conv_key
		WHERE p.app_key = `+tx.AppKey+` AND p.first_id = ?2 AND p.second_id = ?3 AND `+tx.SentSeq+` > 0`, a.app, first, second)
	return n == 2, err
}

// isFull reports whether a client is in limit conversations. It counts them once and then
// remembers the count as an upper bound. It first counts index entries, some of which are
// deleted conversations that are not purged yet, and reads the conversations only when that
// count reaches the limit.
func (g group) isFull(app, client string, limit int) (bool, error) {
	if n, known := g.Known.Count(app, client); known && n < limit {
		return false, nil
	}
	n, err := g.Count(`SELECT count(*) FROM (SELECT 1 FROM members
		WHERE app_key = `+tx.AppKey+` AND client_id = ?2 LIMIT ?3)`, app, client, limit)
	if err == nil && n >= limit {
		n, err = g.Count(`SELECT count(*) FROM (SELECT 1 FROM members m JOIN conversations c ON c.conv_key = m.conv_key
			WHERE m.app_key = `+tx.AppKey+` AND m.client_id = ?2 AND c.deleted = 0 AND c.expires > ?4 LIMIT ?3)`,
			app, client, limit, g.Now)
	}
	if err != nil || n >= limit {
		return err == nil, err
	}
	g.Known.KeepCount(app, client, n)
	return false, nil
}
