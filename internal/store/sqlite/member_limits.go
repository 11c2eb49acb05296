package sqlite

import (
	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// mustTake returns why the first client that cannot be added to a conversation of type t
// cannot be added; nil: all can. See store.Members.
func (g group) mustTake(app string, t skein.ConvType, clients []string, limit store.MemberLimit) error {
	for _, client := range clients {
		if err := limit.Refusal(t, client, joining{g, app, client, limit.Adder}); err != nil {
			return err
		}
	}
	return nil
}

// joining is one client that is to be added. It implements store.Joining.
type joining struct {
	group

	app, client, adder string
}

// Chosen is whom the client lets add it; see store.Joining.
func (j joining) Chosen() (chosen skein.AddBy, err error) {
	_, err = j.Row(func(r *sqlite3.Stmt) { chosen = engine.Small[skein.AddBy](r, 0) },
		`SELECT add_by FROM clients WHERE app_key = `+tx.AppKey+` AND id = ?2`, j.app, j.client)
	return chosen, err
}

// IsIn reports whether the client is in that many conversations; see store.Joining.
func (j joining) IsIn(most int) (bool, error) { return j.isFull(j.app, j.client, most) }

// WasAdded reports whether the adder has added the client to that many conversations; see
// store.Joining. It need not count while the client is in fewer.
func (j joining) WasAdded(most int) (bool, error) {
	if n, _ := j.Known.Count(j.app, j.client); n < most {
		return false, nil
	}
	n, err := j.Count(`SELECT count(*) FROM (SELECT 1 FROM members
		WHERE app_key = `+tx.AppKey+` AND client_id = ?2 AND adder = ?3 LIMIT ?4)`, j.app, j.client, j.adder, most)
	if err == nil && n >= most {
		n, err = j.Count(`SELECT count(*) FROM (SELECT 1 FROM members m JOIN conversations c ON c.conv_key = m.conv_key
			WHERE m.app_key = `+tx.AppKey+` AND m.client_id = ?2 AND m.adder = ?3 AND c.deleted = 0 AND c.expires > ?5 LIMIT ?4)`,
			j.app, j.client, j.adder, most, j.Now)
	}
	return n >= most, err
}

// Knows reports whether the client and the adder know each other; see store.Joining. It may
// not see the messages of the running group commit.
func (j joining) Knows() (bool, error) {
	first, second := rows.Pair(j.client, j.adder)
	n, err := j.Count(`SELECT count(*) FROM private_pairs p
		JOIN conversations c ON c.conv_key = p.conv_key JOIN members m ON m.conv_key = p.conv_key
		WHERE p.app_key = `+tx.AppKey+` AND p.first_id = ?2 AND p.second_id = ?3 AND `+tx.SentSeq+` > 0`, j.app, first, second)
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
