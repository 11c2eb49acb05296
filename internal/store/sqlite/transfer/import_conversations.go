package transfer

import (
	"cmp"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// importConversation begins the import of a conversation, or continues one that exists. A new
// one is invisible to other methods until its End record.
func (i *importing) importConversation(r *store.ConversationRecord) (any, error) {
	a, err := i.place(r.ID)
	if err == nil {
		a.closed = a.Type != r.Type || a.Creator != r.Creator || a.Created != r.Created
		return i.conversationRecord(a.ConvRow)
	}
	if err != errNoPlace { //nolint:errorlint // place's own
		return nil, err
	}
	c := r.Conversation
	c.LastSeq, c.Changes, c.Members = 0, 0, 0
	c.Active = cmp.Or(c.Active, max(c.Created, c.Updated))
	err = i.group.Exec(`INSERT INTO conversations
		(app_key, id, type, creator, extend, member_count, mute_all, last_seq, created, updated, active, period, ttl, expires, moved, deleted)
		VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, 0, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)`,
		i.key, c.ID, c.Type, c.Creator, engine.RawText(c.Extend), c.MuteAll, c.Created, c.Updated, c.Active, rows.PeriodOf(c.Active),
		c.TTL.Milliseconds(), skein.Forever, i.Stamp, arriving)
	if err != nil {
		return nil, err
	}
	a = &arrival{ConvRow: tx.ConvRow{Conversation: c, Key: i.db().LastInsertRowID()}}
	i.timelines[c.ID] = a
	i.Note(i.key, a.Key)
	for _, s := range r.Sanctions {
		if err := i.group.Exec(`INSERT OR REPLACE INTO sanctions (conv_key, app_key, client_id, banned_until, muted_until) VALUES (?1, ?2, ?3, ?4, ?5)`,
			a.Key, i.key, s.Client, s.BannedUntil, s.MutedUntil); err != nil {
			return nil, err
		}
	}
	if err := i.NameUploads(i.app, tx.ByExtend, a.Key, c.Uploads()); err != nil {
		return nil, err
	}
	return nil, i.keepUnknown(unknownConversation, a.Key, 0, r.Unknown)
}

// errNoPlace is about a conversation that does not exist.
var errNoPlace = skein.About(skein.ErrUnknownConversation, "conv_id")

// place is a conversation that exists or is being imported. Errors: errNoPlace, ErrConflict.
func (i *importing) place(id skein.ID) (*arrival, error) {
	if a, ok := i.timelines[id]; ok {
		return a, nil
	}
	a := new(arrival)
	var state int64
	found, err := i.group.Row(func(r *sqlite3.Stmt) {
		a.ConvRow = tx.ReadConversation(r, i.app)
		state = r.ColumnInt64(tx.ConversationColumnCount)
		if expires := engine.Millis(r, tx.ConversationColumnCount+1); expires <= i.Now {
			state = 1
		}
	}, `SELECT `+tx.ConversationColumns+`, deleted, expires FROM conversations c WHERE app_key = ?1 AND id = ?2`, i.key, id)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, errNoPlace
	case state == 1:
		return nil, conflict("conv_id", "was deleted here and is being removed; try again later")
	}
	a.known = state == 0
	i.timelines[id] = a
	return a, nil
}

// into is the conversation that a record belongs to.
func (i *importing) into(id skein.ID) (*arrival, error) {
	a, err := i.place(id)
	if err == nil && a.closed {
		err = conflict("conv_id", "is another conversation here")
	}
	return a, err
}

func (i *importing) importMember(r *store.MemberRecord) (any, error) {
	a, err := i.into(r.Conv)
	if err != nil {
		return nil, err
	}
	var have *store.MemberRecord
	if err := i.member(a.ConvRow, r.Client, func(m *store.MemberRecord) { have = m }); err != nil || have != nil {
		return have, err
	}
	if _, living, err := i.client(r.Client); err != nil || !living {
		return nil, orFault(err, skein.About(skein.ErrUnknownClient, r.Client))
	}
	if r.Role == skein.RoleOwner {
		owned, err := i.group.Row(nil, `SELECT 1 FROM members WHERE conv_key = ?1 AND role = ?2`, a.Key, skein.RoleOwner)
		if err != nil || owned {
			return nil, orFault(err, conflict("role", "the conversation has another owner here"))
		}
	}
	if err := i.Arrive(i.key, r.Client, r.Conv); err != nil {
		return nil, err
	}
	err = i.group.Exec(`INSERT INTO members (conv_key, app_key, client_id, role, nickname, joined, join_seq, muted_until,
		read_seq, received_seq, sent_seq, cleared_seq, pinned, muted, archived, draft, moved, adder, unread_mark)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)`,
		a.Key, i.key, r.Client, r.Role, r.Nickname, r.Joined, r.JoinSeq, r.MutedUntil,
		r.ReadSeq, r.ReceivedSeq, r.SentSeq, r.ClearedSeq, r.Pinned, r.Muted, r.Archived, r.Draft, i.Stamp, tx.TextOrNull(r.Adder), r.Marks.Unread)
	key := i.db().LastInsertRowID()
	if err == nil {
		err = i.NameUploads(i.app, tx.ByMember, key, r.Uploads())
	}
	if err == nil {
		err = i.keepUnknown(unknownMember, key, 0, r.Unknown)
	}
	a.Members++
	a.dirty = true
	i.group.Known.ForgetMember(a.Key, r.Client)
	i.group.Known.ForgetCount(i.app, r.Client)
	return nil, err
}

// orFault is err, or the fault if err is nil.
func orFault(err, fault error) error {
	if err != nil {
		return err
	}
	return fault
}

// importEnd makes a conversation visible if all of it was imported.
func (i *importing) importEnd(r *store.End) (any, error) {
	a, err := i.place(r.Conv)
	if err != nil {
		return nil, err
	}
	if a.known {
		return r, nil
	}
	if err := i.write(a); err != nil {
		return nil, err
	}
	switch {
	case r.Abandon:
		return nil, i.abandon(a)
	case a.LastSeq != r.LastSeq:
		return i.refuseEnd(a, skein.Malformed("last_seq", "not all messages have come"))
	case a.Changes != r.Changes:
		return i.refuseEnd(a, skein.Malformed("last_change", "not all changes have come"))
	}
	if fault, err := i.pairUp(a); err != nil || fault != nil {
		if err == nil {
			return i.refuseEnd(a, fault)
		}
		return nil, err
	}
	expires := skein.Forever
	if a.TTL > 0 {
		expires = a.Active.Add(a.TTL)
	}
	if expires <= i.Now {
		return i.refuseEnd(a, skein.Malformed("ttl", "this temporary conversation has ended"))
	}
	if err := i.group.Exec(`UPDATE conversations SET deleted = 0, expires = ?2, moved = ?3 WHERE conv_key = ?1`, a.Key, expires, i.Stamp); err != nil {
		return nil, err
	}
	i.Note(i.key, a.Key)
	a.known = true
	err = i.group.Rows(func(s *sqlite3.Stmt) { i.group.Known.ForgetCount(i.app, s.ColumnText(0)) },
		`UPDATE members SET moved = ?2 WHERE conv_key = ?1 AND moved <> ?2 RETURNING client_id`, a.Key, i.Stamp)
	return nil, err
}

// refuseEnd abandons a conversation and returns the fault.
func (i *importing) refuseEnd(a *arrival, fault error) (any, error) {
	if err := i.abandon(a); err != nil {
		return nil, err
	}
	return nil, fault
}

// abandon leaves an arriving conversation to Purge.
func (i *importing) abandon(a *arrival) error {
	delete(i.timelines, a.ID)
	i.Note(i.key, a.Key)
	return i.group.Exec(`UPDATE conversations SET deleted = 1, moved = ?2 WHERE conv_key = ?1`, a.Key, i.Stamp)
}

// pairUp makes a private conversation the only one of its two members.
func (i *importing) pairUp(a *arrival) (fault, err error) {
	if a.Type != skein.Private {
		return nil, nil
	}
	var pair []string
	err = i.group.Rows(func(r *sqlite3.Stmt) { pair = append(pair, r.ColumnText(0)) },
		`SELECT client_id FROM members WHERE conv_key = ?1 ORDER BY client_id LIMIT 3`, a.Key)
	switch {
	case err != nil:
		return nil, err
	case len(pair) > 2:
		return skein.Malformed("conv_type", "a private conversation has two members"), nil
	case len(pair) < 2:
		return nil, nil
	}
	added, err := i.group.Change(`INSERT INTO private_pairs (app_key, first_id, second_id, conv_key) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING`,
		i.key, pair[0], pair[1], a.Key)
	if err != nil || added {
		return nil, err
	}
	return conflict("conv_type", pair[0]+" and "+pair[1]+" have another private conversation here"), nil
}

// flush writes the rows of the conversations that this call changed.
func (i *importing) flush() error {
	for _, a := range i.timelines {
		if err := i.write(a); err != nil {
			return err
		}
	}
	return nil
}

// write updates the row of an arrival.
func (i *importing) write(a *arrival) error {
	if !a.dirty {
		return nil
	}
	a.dirty = false
	i.group.Known.ForgetTimeline(i.app, a.ID)
	_, err := i.Move(`UPDATE conversations SET member_count = ?2, roster_rev = roster_rev + 1, last_seq = ?3, last_change = ?4, active = ?5, period = ?6, moved = ?7,
		expires = iif(ttl > 0 AND deleted = 0, max(expires, ?5 + ttl), expires) WHERE conv_key = ?1`+tx.ReturningMoves,
		a.Key, a.Members, a.LastSeq, a.Changes, a.Active, rows.PeriodOf(a.Active), i.Stamp)
	return err
}
