package transfer

import (
	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/transfer"
)

func (t *tables) Conversation(id skein.ID) (*transfer.Arrival, error) {
	if !t.convs[id] {
		return nil, nil //nolint:nilnil // there is none
	}
	if err := t.flush(); err != nil {
		return nil, err
	}
	a := new(transfer.Arrival)
	var expires skein.Millis
	row, err := tx.ReadConversation(t.QueryRow(t.ctx, `SELECT `+tx.ConversationColumns+`, deleted, expires FROM conversations c WHERE app_key = $1 AND id = $2`, t.key, id),
		t.app, &a.State, &expires)
	if found, err := tx.Found(err); err != nil || !found {
		return nil, err
	}
	if a.Conversation, a.Key = row.Conversation, row.Key; expires <= t.Now() {
		a.State = transfer.Gone
	}
	return a, nil
}

func (t *tables) ConversationRecord(a *transfer.Arrival) (*store.ConversationRecord, error) {
	if err := t.flush(); err != nil {
		return nil, err
	}
	return t.conversationRecord(a.Key, a.Conversation)
}

func (t *tables) AddConversation(a *transfer.Arrival, r *store.ConversationRecord) error {
	if err := t.flush(); err != nil {
		return err
	}
	err := t.QueryRow(t.ctx, `INSERT INTO conversations
		(app_key, id, type, creator, extend, member_count, mute_all, last_seq, created, updated, active, period, ttl, expires, moved, deleted)
		VALUES ($1, $2, $3, $4, $5, 0, $6, 0, $7, $8, $9, $10, $11, $12, `+tx.Stamp+`, $13) RETURNING conv_key`,
		t.key, a.ID, a.Type, a.Creator, a.Extend, a.MuteAll, a.Created, a.Updated, a.Active, rows.PeriodOf(a.Active),
		a.TTL.Milliseconds(), t.Now().Add(arrivalTime), transfer.Arriving).Scan(&a.Key)
	if err != nil {
		return err
	}
	t.convs[a.ID] = true
	t.w.Moved(a.Key, 0, 0)
	for _, s := range r.Sanctions {
		t.write(`INSERT INTO sanctions (conv_key, app_key, client_id, banned_until, muted_until) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (conv_key, client_id) DO UPDATE SET banned_until = excluded.banned_until, muted_until = excluded.muted_until`,
			a.Key, t.key, s.Client, s.BannedUntil, s.MutedUntil)
	}
	t.nameUploads(tx.Thing{Kind: tx.ByExtend, Key: a.Key}, a.Uploads())
	t.keepUnknown(transfer.UnknownConversation, a.Key, 0, r.Unknown)
	return nil
}

func (t *tables) Save(a *transfer.Arrival) error {
	t.w.Moved(a.Key, 0, 0)
	t.write(`UPDATE conversations SET member_count = $2, roster_rev = roster_rev + 1, last_seq = $3, last_change = $4, active = $5, period = $6, moved = `+tx.Stamp+`,
		expires = CASE WHEN deleted = 2 THEN $7 WHEN ttl > 0 THEN greatest(expires, $5 + ttl) ELSE expires END WHERE conv_key = $1`,
		a.Key, a.Members, a.LastSeq, a.Changes, a.Active, rows.PeriodOf(a.Active), t.Now().Add(arrivalTime))
	return nil
}

func (t *tables) Pair(a *transfer.Arrival) ([]string, error) {
	if err := t.flush(); err != nil {
		return nil, err
	}
	found, err := t.Query(t.ctx, `SELECT client_id FROM members WHERE conv_key = $1 ORDER BY client_id LIMIT 3`, a.Key)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, pgx.RowTo[string])
}

func (t *tables) TakePair(a *transfer.Arrival, first, second string) (taken bool, err error) {
	tag, err := t.Exec(t.ctx, `INSERT INTO private_pairs (app_key, first_id, second_id, conv_key) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		t.key, first, second, a.Key)
	return tag.RowsAffected() > 0, err
}

func (t *tables) Reveal(a *transfer.Arrival, expires skein.Millis) error {
	t.w.Moved(a.Key, 0, 0)
	t.write(`UPDATE conversations SET deleted = 0, expires = $2, moved = `+tx.Stamp+` WHERE conv_key = $1`, a.Key, expires)
	t.write(`UPDATE members SET moved = `+tx.Stamp+` WHERE conv_key = $1 AND moved <> `+tx.Stamp, a.Key)
	return nil
}

func (t *tables) Abandon(a *transfer.Arrival) error {
	t.w.Moved(a.Key, 0, 0)
	t.write(`UPDATE conversations SET deleted = 1, moved = `+tx.Stamp+` WHERE conv_key = $1`, a.Key)
	return nil
}
