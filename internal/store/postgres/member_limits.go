package postgres

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// mustTake returns why the first client that cannot be added to a conversation of type t
// cannot be added; nil: all can. See store.Members. living are the clients' rows.
func mustTake(ctx context.Context, t *tx.Tx, app int64, typ skein.ConvType, clients []string, living map[string]skein.Client, limit store.MemberLimit) error {
	all := joiners{Tx: t, ctx: ctx, app: app, adder: limit.Adder, most: limit.PerClient, clients: clients}
	for _, client := range clients {
		if err := limit.Refusal(typ, client, joining{&all, living[client]}); err != nil {
			return err
		}
	}
	return nil
}

// joiners are the clients that are to be added. What the rule asks about one of them is read
// about all of them at once, when it is asked first.
type joiners struct {
	*tx.Tx

	ctx     context.Context //nolint:containedctx // of one call; store.Joining has none
	app     int64
	adder   string
	most    int // limit.PerClient
	clients []string

	entries, living, added map[string]int  // nil: not read yet
	known                  map[string]bool // likewise
}

// joining is one of them. It implements store.Joining.
type joining struct {
	*joiners

	client skein.Client
}

// Chosen is whom the client lets add it; see store.Joining.
func (j joining) Chosen() (skein.AddBy, error) { return j.client.AddBy, nil }

// IsIn reports whether the client is in that many conversations; see store.Joining. It first
// counts index entries, some of which are deleted conversations that are not purged yet, and
// reads the conversations only when that count reaches the number.
func (j joining) IsIn(most int) (bool, error) {
	err := j.count(&j.entries, countEntries, j.app, j.clients, j.most)
	if err != nil || j.entries[j.client.ID] < most {
		return false, err
	}
	err = j.count(&j.living, countLiving, j.app, j.clients, j.Now)
	return j.living[j.client.ID] >= most, err
}

// WasAdded reports whether the adder has added the client to that many conversations; see
// store.Joining. It need not count while the client is in fewer.
func (j joining) WasAdded(most int) (bool, error) {
	err := j.count(&j.entries, countEntries, j.app, j.clients, j.most)
	if err != nil || j.entries[j.client.ID] < most {
		return false, err
	}
	err = j.count(&j.added, countAdded, j.app, j.clients, j.Now, j.adder)
	return j.added[j.client.ID] >= most, err
}

// Knows reports whether the client and the adder know each other; see store.Joining.
func (j joining) Knows() (bool, error) {
	if j.known == nil {
		found, err := j.Query(j.ctx, knownClients, j.app, j.adder, j.clients)
		if j.known, err = collectMap[string, bool](found, err); err != nil {
			return false, err
		}
	}
	return j.known[j.client.ID], nil
}

// count fills one of the counts.
func (j *joiners) count(into *map[string]int, sql string, args ...any) error {
	if *into != nil {
		return nil
	}
	found, err := j.Query(j.ctx, sql, args...)
	*into, err = collectMap[string, int](found, err)
	return err
}

// The counts are of the clients $2 of the app with the key $1.
const (
	countEntries = `SELECT u.client, (SELECT count(*) FROM (SELECT 1 FROM members m WHERE m.app_key = $1 AND m.client_id = u.client LIMIT $3) e)
		FROM unnest($2::text[]) u(client)`
	livingEntries = ` JOIN conversations c ON c.conv_key = m.conv_key
		WHERE m.app_key = $1 AND m.client_id = ANY($2) AND c.deleted = 0 AND c.expires > $3`
	countLiving = `SELECT m.client_id, count(*) FROM members m` + livingEntries + ` GROUP BY m.client_id`
	countAdded  = `SELECT m.client_id, count(*) FROM members m` + livingEntries + ` AND m.adder = $4 GROUP BY m.client_id`

	// knownClients are those of $3 who know $2: both have sent a message in their private
	// conversation.
	knownClients = `SELECT p.other, count(*) = 2 FROM (
			SELECT second_id AS other, conv_key FROM private_pairs WHERE app_key = $1 AND first_id = $2 AND second_id = ANY($3)
			UNION ALL
			SELECT first_id, conv_key FROM private_pairs WHERE app_key = $1 AND second_id = $2 AND first_id = ANY($3)) p
		JOIN conversations c ON c.conv_key = p.conv_key JOIN members m ON m.conv_key = p.conv_key
		WHERE ` + tx.SentSeq + ` > 0 GROUP BY p.other`
)
