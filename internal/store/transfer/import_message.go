package transfer

import (
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
)

// message adds the next message of its conversation.
func (i *Import) message(r *store.MessageRecord) (any, error) {
	a, err := i.into(r.Conv)
	if err != nil {
		return nil, err
	}
	if r.Seq <= a.LastSeq {
		have, err := i.t.Message(a, r.Seq)
		if err != nil || have == nil {
			return nil, orFault(err, skein.About(skein.ErrUnknownMessage, "seq"))
		}
		return have, nil
	}
	if r.Seq != a.LastSeq+1 {
		return nil, skein.Malformed("seq", "does not follow the last one here")
	}
	if there, _, err := i.living(r.Sender); err != nil || !there {
		return nil, orFault(err, skein.About(skein.ErrUnknownClient, r.Sender))
	}
	row, err := i.messageRow(r)
	if err != nil {
		return nil, err
	}
	stored, err := i.t.AddMessage(a, r, row)
	if err != nil || !stored {
		return nil, orFault(err, conflict("msg_id", "is another message's here, perhaps of another app"))
	}
	a.LastSeq, a.Active, a.dirty = r.Seq, max(a.Active, r.Created), true
	return nil, nil //nolint:nilnil // nothing was there, and nothing went wrong
}

func (i *Import) messageRow(r *store.MessageRecord) (row MessageRow, err error) {
	row.Hash = r.Hash
	if r.ClientMsgID != "" && row.Hash == nil && r.Status == skein.StatusNormal {
		row.Hash = rows.ContentHash(rows.Canonical(r.Body))
	}
	row.Flags = importedFlags(r)
	row.Retry = r.ClientMsgID != "" && i.t.Now() < r.Created.Add(store.RetryTime)
	row.Reactions, err = rows.EncodeReactions(summaryOf(r.Reacted))
	return row, err
}

func importedFlags(r *store.MessageRecord) (flags int) {
	for _, f := range []struct {
		set bool
		bit int
	}{{r.MentionAll, rows.FlagMentionAll}, {r.NoSync, rows.FlagNoSync}, {r.ByServer, rows.FlagServer}, {true, rows.FlagImported}} {
		if f.set {
			flags |= f.bit
		}
	}
	return flags
}

// summaryOf is the summary of reactions, which are in the order in which they were made.
func summaryOf(reacted []store.ReactionRecord) (list []skein.Reaction) {
	for _, r := range reacted {
		at := slices.IndexFunc(list, func(s skein.Reaction) bool { return s.Emoji == r.Emoji })
		if at < 0 {
			list = append(list, skein.Reaction{Emoji: r.Emoji})
			at = len(list) - 1
		}
		s := &list[at]
		if s.Count++; len(s.Clients) < skein.MaxReactionClients {
			s.Clients = append(s.Clients, r.Client)
		}
	}
	return list
}

// change adds the next change to a conversation's log.
func (i *Import) change(r *store.ChangeRecord) (any, error) {
	a, err := i.into(r.Conv)
	if err != nil {
		return nil, err
	}
	if r.Seq <= a.Changes {
		have, err := i.t.Change(a, r.Seq)
		if err != nil || have == nil {
			return nil, orFault(err, skein.Malformed("change_seq", "is not here any more"))
		}
		return have, nil
	}
	if r.Seq != a.Changes+1 {
		return nil, skein.Malformed("change_seq", "does not follow the last one here")
	}
	found, err := i.t.AddChange(a, r)
	if err != nil || !found {
		return nil, orFault(err, skein.About(skein.ErrUnknownMessage, "seq"))
	}
	a.Changes, a.dirty = r.Seq, true
	return nil, nil //nolint:nilnil // nothing was there, and nothing went wrong
}
