package rows

import "github.com/skein-im/skein"

// Piece is the seqs between two, both excluded, that one search of messages reads.
type Piece struct {
	After, Before int64

	more bool // the range goes on behind it in the order of the query
}

// PieceOf is the part of the range that can lie within the times of the query, and of that
// at most skein.MaxLooked messages. created is the time of a message; found is false where
// the conversation has none with this seq.
func PieceOf(q skein.MessageQuery, lastSeq int64, created func(seq int64) (at skein.Millis, found bool, err error)) (p Piece, err error) {
	p = Piece{After: max(q.After, 0), Before: lastSeq + 1}
	if q.Before > 0 {
		p.Before = min(p.Before, q.Before)
	}
	if q.Since > 0 {
		if p.After, _, err = p.around(q.Since-skein.MaxClockBack, created); err != nil {
			return p, err
		}
	}
	if q.Until > 0 {
		if _, p.Before, err = p.around(q.Until+skein.MaxClockBack, created); err != nil {
			return p, err
		}
	}
	if p.Before-p.After-1 > skein.MaxLooked {
		p.more = true
		if q.Newest {
			p.After = p.Before - 1 - skein.MaxLooked
		} else {
			p.Before = p.After + 1 + skein.MaxLooked
		}
	}
	return p, nil
}

// around finds by binary search the two neighbouring seqs in a piece, or its ends, between
// which the messages' times pass a moment: the first is before it, the second is not.
func (p Piece) around(moment skein.Millis, created func(seq int64) (skein.Millis, bool, error)) (last, next int64, err error) {
	last, next = p.After, p.Before
	for last+1 < next {
		middle := last + (next-last)/2
		switch at, found, err := created(middle); {
		case err != nil:
			return 0, 0, err
		case found && at < moment:
			last = middle
		default:
			next = middle
		}
	}
	return last, next, nil
}

// End sets where the next query continues and how many messages this one read.
func (p Piece) End(found *skein.FoundMessages, q skein.MessageQuery) {
	first, last := p.After+1, p.Before-1 // that were looked at
	full := len(found.Messages) >= q.Limit
	if full {
		if at := found.Messages[len(found.Messages)-1].Seq; q.Newest {
			first = at
		} else {
			last = at
		}
	}
	found.Looked = int(max(0, last-first+1))
	if next := first; q.Newest && (p.more || full && next > p.After+1) {
		found.Next = next
	}
	if next := last; !q.Newest && (p.more || full && next < p.Before-1) {
		found.Next = next
	}
}
