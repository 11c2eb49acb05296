package inbox

import (
	"cmp"
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/engine"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// View is one conversation as a member sees it; see store.Inbox.
func (s *Store) View(ctx context.Context, app string, id skein.ID, client string) (v skein.View, err error) {
	err = s.db.Read(ctx, app, func(ctx context.Context, conn tx.Conn) error {
		c := connection{conn}
		conv, err := c.Conversation(ctx, app, id)
		if err != nil {
			return err
		}
		views, err := c.views(ctx, app, client, []int64{conv.Key})
		if err != nil {
			return err
		}
		one, member := views[conv.Key]
		if !member {
			return skein.About(skein.ErrUnknownClient, client)
		}
		v = one.View
		return nil
	})
	return v, err
}

// view is a conversation as a member sees it, and the stamp of the last commit that changed
// it for the member.
type view struct {
	skein.View

	moved int64
}

// views are conversations as the client sees them, by their inner keys. It leaves out those
// that are deleted or have expired and those that the client is not a member of. It is the last
// that a transaction reads, together with what also queues: see engine.Last.
func (c connection) views(ctx context.Context, app, client string, keys []int64, also ...func(*pgx.Batch)) (all map[int64]view, err error) {
	if len(keys) == 0 {
		return all, nil
	}
	var b pgx.Batch
	b.Queue(viewsByKey, keys, client, c.Now)
	b.Queue(newestMessages, keys, client)
	for _, queue := range also {
		queue(&b)
	}
	answers := engine.Last(ctx, c.Conn.Conn, &b)
	defer func() { err = cmp.Or(err, answers.Close()) }()
	found, err := answers.Query()
	if err != nil {
		return nil, err
	}
	if all, err = readViews(found, app, len(keys)); err != nil {
		return nil, err
	}
	if found, err = answers.Query(); err != nil {
		return nil, err
	}
	return all, addLast(found, all)
}

// readViews reads the rows of viewsByKey.
func readViews(found pgx.Rows, app string, most int) (map[int64]view, error) {
	defer found.Close()
	all := make(map[int64]view, most)
	for found.Next() {
		var v view
		conv, err := tx.ReadConversation(found, app, append(tx.MemberFields(&v.Member), &v.Peer, &v.moved, &v.Mentions, &v.Silent)...)
		if err != nil {
			return nil, err
		}
		v.Conversation = conv.Conversation
		all[conv.Key] = v
	}
	return all, found.Err()
}

// addLast adds to views the newest messages as the client sees them, from the rows of newestMessages.
func addLast(found pgx.Rows, all map[int64]view) error {
	defer found.Close()
	for found.Next() {
		var key int64
		last, err := tx.ReadSeen(found, skein.ID{}, &key)
		if err != nil {
			return err
		}
		v, seen := all[key]
		if !seen {
			continue
		}
		last.Conv = v.ID
		v.Last = &last
		all[key] = v
	}
	return found.Err()
}

// Statements of this package look up a client's memberships first, and then each conversation
// by its key: a client is in few conversations, an app has many. The planner would join them
// in any order; it does not look into a subquery with an OFFSET.
const (
	// theKeys are the elements of the list $1. In a subquery the planner does not see how many there
	// are. Where it does, it finds a plan for so few cheaper than the one that it would keep, and plans
	// the statement anew each time, which costs several times as much as to run it.
	theKeys = `(SELECT $1::bigint[])`

	// Conversations $1 as member $2 sees them.
	viewsByKey = `SELECT ` + tx.ConversationColumns + `, ` + tx.MemberColumns + `,
			coalesce((SELECT CASE p.first_id WHEN $2 THEN p.second_id ELSE p.first_id END FROM private_pairs p WHERE p.conv_key = c.conv_key AND c.type = 1), ''),
			greatest(c.moved, m.moved),
			CASE WHEN c.last_seq > ` + memberRead + ` THEN ` + mentionsOf + ` ELSE 0 END,
			CASE WHEN c.last_seq > ` + memberRead + ` THEN ` + silentFor + ` ELSE 0 END
		FROM unnest(` + theKeys + `) k
		CROSS JOIN LATERAL (SELECT * FROM conversations WHERE conv_key = k AND deleted = 0 AND expires > $3 OFFSET 0) c
		CROSS JOIN LATERAL (SELECT * FROM members WHERE conv_key = k AND client_id = $2 OFFSET 0) m`

	// The newest messages of conversations $1 that member $2 has not cleared, as it sees them.
	newestMessages = `SELECT ` + tx.MessageColumns + `, ` + tx.HiddenFrom + `$2), k
		FROM unnest(` + theKeys + `) k
		CROSS JOIN LATERAL (SELECT last_seq FROM conversations WHERE conv_key = k OFFSET 0) c
		CROSS JOIN LATERAL (SELECT cleared_seq FROM members WHERE conv_key = k AND client_id = $2 OFFSET 0) mine
		CROSS JOIN LATERAL (SELECT * FROM messages WHERE conv_key = k AND seq = c.last_seq AND seq > mine.cleared_seq OFFSET 0) m`

	// memberRead is skein.Member.Read of member m of conversation c.
	memberRead = `greatest(m.join_seq - 1, m.cleared_seq, m.read_seq, ` + tx.SentSeq + `)`

	// mentionsOf counts the unread messages that mention member m, except those that it
	// deleted for itself. A message that mentions both everyone and the member by name has two
	// rows: the count is the rows for everyone, plus the member's rows without a row for
	// everyone, less the hidden messages among them. It only counts index entries: a client that
	// mentions everyone in each message may have sent thousands.
	mentionsOf = `((SELECT count(*) FROM mentions WHERE conv_key = m.conv_key AND client_id = '' AND seq > ` + memberRead + `)
		+ (SELECT count(*) FROM mentions n WHERE n.conv_key = m.conv_key AND n.client_id = m.client_id AND n.seq > ` + memberRead + `
			AND NOT EXISTS (SELECT FROM mentions e WHERE e.conv_key = n.conv_key AND e.client_id = '' AND e.seq = n.seq OFFSET 0))
		- (SELECT count(*) FROM hidden h WHERE h.conv_key = m.conv_key AND h.client_id = m.client_id AND h.seq > ` + memberRead + `
			AND EXISTS (SELECT FROM mentions n WHERE n.conv_key = h.conv_key AND n.client_id IN ('', h.client_id) AND n.seq = h.seq OFFSET 0)))`

	// silentFor counts the unread messages that are blank for member m: recalled or deleted.
	// Both counts use indexes that hold only such messages.
	silentFor = `((SELECT count(*) FROM messages WHERE conv_key = m.conv_key AND seq > ` + memberRead + ` AND status <> 1)
		+ (SELECT count(*) FROM hidden h WHERE h.conv_key = m.conv_key AND h.client_id = m.client_id AND h.seq > ` + memberRead + `
			AND NOT EXISTS (SELECT FROM messages b WHERE b.conv_key = h.conv_key AND b.seq = h.seq AND b.status <> 1 OFFSET 0)))`
)

// CountReaders counts the members that received and read a message; see store.Members.
func (s *Store) CountReaders(ctx context.Context, app string, id skein.ID, seq int64) (n store.Readers, err error) {
	err = s.db.Read(ctx, app, func(ctx context.Context, c tx.Conn) error {
		conv, err := c.Conversation(ctx, app, id)
		if err != nil {
			return err
		}
		return c.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE m.received_seq >= $2 OR `+memberRead+` >= $2), count(*) FILTER (WHERE `+memberRead+` >= $2)
			FROM conversations c JOIN members m ON m.conv_key = c.conv_key
			WHERE c.conv_key = $1 AND m.join_seq <= $2`, conv.Key, seq).Scan(&n.Members, &n.Received, &n.Read)
	})
	return n, err
}
