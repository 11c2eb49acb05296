package transfer

import (
	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
	"github.com/skein-im/skein/internal/store/transfer"
)

func (t *tables) Conversation(id skein.ID) (*transfer.Arrival, error) {
	a := new(transfer.Arrival)
	found, err := t.group.Row(func(r *sqlite3.Stmt) {
		row := tx.ReadConversation(r, t.app)
		a.Conversation, a.Key = row.Conversation, row.Key
		a.State = engine.Small[transfer.State](r, tx.ConversationColumnCount)
		if expires := engine.Millis(r, tx.ConversationColumnCount+1); expires <= t.Now() {
			a.State = transfer.Gone
		}
	}, `SELECT `+tx.ConversationColumns+`, deleted, expires FROM conversations c WHERE app_key = ?1 AND id = ?2`, t.key, id)
	if err != nil || !found {
		return nil, err
	}
	return a, nil
}

func (t *tables) ConversationRecord(a *transfer.Arrival) (*store.ConversationRecord, error) {
	return t.conversationRecord(a.Key, a.Conversation)
}

func (t *tables) AddConversation(a *transfer.Arrival, r *store.ConversationRecord) error {
	err := t.group.Exec(`INSERT INTO conversations
		(app_key, id, type, creator, extend, member_count, mute_all, last_seq, created, updated, active, period, ttl, expires, moved, deleted)
		VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, 0, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)`,
		t.key, a.ID, a.Type, a.Creator, engine.RawText(a.Extend), a.MuteAll, a.Created, a.Updated, a.Active, rows.PeriodOf(a.Active),
		a.TTL.Milliseconds(), skein.Forever, t.Stamp, int(transfer.Arriving))
	if err != nil {
		return err
	}
	a.Key = t.lastKey()
	t.Note(t.key, a.Key)
	for _, s := range r.Sanctions {
		if err := t.group.Exec(`INSERT OR REPLACE INTO sanctions (conv_key, app_key, client_id, banned_until, muted_until) VALUES (?1, ?2, ?3, ?4, ?5)`,
			a.Key, t.key, s.Client, s.BannedUntil, s.MutedUntil); err != nil {
			return err
		}
	}
	if err := t.NameUploads(t.app, tx.ByExtend, a.Key, a.Uploads()); err != nil {
		return err
	}
	return t.keepUnknown(transfer.UnknownConversation, a.Key, 0, r.Unknown)
}

func (t *tables) Save(a *transfer.Arrival) error {
	t.group.Known.ForgetTimeline(t.app, a.ID)
	_, err := t.Move(`UPDATE conversations SET member_count = ?2, roster_rev = roster_rev + 1, last_seq = ?3, last_change = ?4, active = ?5, period = ?6, moved = ?7,
		expires = iif(ttl > 0 AND deleted = 0, max(expires, ?5 + ttl), expires) WHERE conv_key = ?1`+tx.ReturningMoves,
		a.Key, a.Members, a.LastSeq, a.Changes, a.Active, rows.PeriodOf(a.Active), t.Stamp)
	return err
}

func (t *tables) Pair(a *transfer.Arrival) (pair []string, err error) {
	err = t.group.Rows(func(r *sqlite3.Stmt) { pair = append(pair, r.ColumnText(0)) },
		`SELECT client_id FROM members WHERE conv_key = ?1 ORDER BY client_id LIMIT 3`, a.Key)
	return pair, err
}

func (t *tables) TakePair(a *transfer.Arrival, first, second string) (taken bool, err error) {
	return t.group.Change(`INSERT INTO private_pairs (app_key, first_id, second_id, conv_key) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING`,
		t.key, first, second, a.Key)
}

func (t *tables) Reveal(a *transfer.Arrival, expires skein.Millis) error {
	if err := t.group.Exec(`UPDATE conversations SET deleted = 0, expires = ?2, moved = ?3 WHERE conv_key = ?1`, a.Key, expires, t.Stamp); err != nil {
		return err
	}
	t.Note(t.key, a.Key)
	return t.group.Rows(func(r *sqlite3.Stmt) { t.group.Known.ForgetCount(t.app, r.ColumnText(0)) },
		`UPDATE members SET moved = ?2 WHERE conv_key = ?1 AND moved <> ?2 RETURNING client_id`, a.Key, t.Stamp)
}

func (t *tables) Abandon(a *transfer.Arrival) error {
	t.Note(t.key, a.Key)
	return t.group.Exec(`UPDATE conversations SET deleted = 1, moved = ?2 WHERE conv_key = ?1`, a.Key, t.Stamp)
}
