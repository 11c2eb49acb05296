package chaos

import (
	"maps"
	"slices"
)

// talk is what a device holds of one conversation.
type talk struct {
	last   int64 // the log holds all messages after floor up to this seq
	change int64 // and all changes up to this one have been applied
	floor  int64 // nothing up to here is to be seen any more
	role   string

	wantSeq    int64 // what there is to fetch, as far as is known
	wantChange int64

	copies map[int64]message // by seq, the newest copy of each; also of some after last
}

// behind reports whether there is something to fetch.
func (t *talk) behind() bool { return t.last < t.wantSeq || t.change < t.wantChange }

// keep takes a copy of a message if it is newer than the one that is there. What
// the client deleted for itself stays deleted.
func (t *talk) keep(m message) {
	have, known := t.copies[m.Seq]
	hidden := have.Status == statusDeleted || m.Status == statusDeleted
	if known && have.Change > m.Change {
		m = have
	}
	if hidden {
		m.Status, m.Text, m.Mentions, m.MentionAll, m.Pin, m.Reactions = statusDeleted, "", nil, 0, 0, nil
	}
	t.copies[m.Seq] = m
}

// rise drops what has gone below the floor.
func (t *talk) rise(floor int64) {
	if floor <= t.floor {
		return
	}
	t.floor = floor
	maps.DeleteFunc(t.copies, func(seq int64, _ message) bool { return seq <= floor })
}

// held are the messages of the log, in order.
func (t *talk) held() []message {
	var out []message
	for _, seq := range slices.Sorted(maps.Keys(t.copies)) {
		if seq > t.floor && seq <= t.last {
			out = append(out, t.copies[seq])
		}
	}
	return out
}

// heard is msg.new in the words of the history: version 1 by nature.
func (m message) heard() message {
	m.Sender, m.From = m.From, ""
	m.Version, m.Status = 1, statusNormal
	return m
}
