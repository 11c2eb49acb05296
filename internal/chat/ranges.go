package chat

import (
	"context"
	"errors"

	"github.com/skein-im/skein"
)

// ChangePage is a range of a conversation's changes, oldest first.
type ChangePage struct {
	Changes []skein.Change
	More    bool  // there are more behind them
	Last    int64 // change_seq of the newest change there is
}

// Changes is a range of what became of messages, of about 1 MiB at the most. What the
// caller may not see comes as skein.ChangeNone, so that the numbers stay dense.
// Errors: skein.ErrUnknownConversation, skein.ErrForbidden.
func (s *Service) Changes(ctx context.Context, by skein.Actor, conv skein.ID, after int64, limit int) (ChangePage, error) {
	c, floor, err := s.readable(ctx, by, conv)
	if err != nil {
		return ChangePage{}, err
	}
	page, err := s.changesOf(ctx, by, c, floor, after, limit)
	if err != nil {
		return ChangePage{}, err
	}
	left := newRoom()
	page.fit(&left)
	return page, nil
}

func (s *Service) changesOf(ctx context.Context, by skein.Actor, c skein.Conversation, floor, after int64, limit int) (ChangePage, error) {
	page := ChangePage{Last: c.Changes}
	if after >= c.Changes {
		return page, nil
	}
	if limit == 0 {
		page.More = true
		return page, nil
	}
	changes, err := s.store.Changes(ctx, by.App.ID, c.ID, skein.ChangeRange{After: after, Limit: limit, Viewer: by.Client})
	if err != nil || len(changes) == 0 {
		return page, err
	}
	for i, change := range changes {
		if change.Kind != skein.ChangeNone && change.Message.Seq <= floor {
			changes[i] = skein.Change{Seq: change.Seq, Kind: skein.ChangeNone, At: change.At}
		}
	}
	last := changes[len(changes)-1].Seq
	page.Changes, page.Last = changes, max(c.Changes, last)
	page.More = last < page.Last
	return page, nil
}

// fit cuts off the changes that there is no room for.
func (p *ChangePage) fit(left *room) {
	kept := left.take(len(p.Changes), func(i int) *skein.Message { return &p.Changes[i].Message })
	p.More = p.More || kept < len(p.Changes)
	p.Changes = p.Changes[:kept]
}

// Bounds of what is answered in one call. A message that was changed 200 times stands
// 200 times on a page of changes: without a bound in bytes that would be megabytes for
// anybody who asks.
const (
	maxItems  = 2000    // messages and changes
	maxVolume = 1 << 20 // bytes, about
)

// Range asks for what is new in a conversation.
type Range struct {
	Conv        skein.ID
	AfterSeq    *int64 // messages after this seq; nil: none
	AfterChange *int64 // changes after this; nil: none
	Limit       int    // of each
}

// RangeResult is the answer to a Range. Err is why there is none:
// skein.ErrUnknownConversation or skein.ErrForbidden.
type RangeResult struct {
	Err      error
	Messages []skein.Message // oldest first
	More     bool            // there are more messages behind them
	LastSeq  int64
	Floor    int64 // up to here there is nothing to see
	Changes  ChangePage
}

// Ranges answers many ranges at once, in their order. All in all they hold at most
// 2,000 messages and changes and about 1 MiB; what is past that is left out, with
// More set. Errors: skein.ErrUnknownClient, skein.ErrBanned about the caller.
func (s *Service) Ranges(ctx context.Context, by skein.Actor, asked []Range) ([]RangeResult, error) {
	if !by.Server() {
		if err := s.standing(ctx, by.App.ID, by.Client); err != nil {
			return nil, err
		}
	}
	left := newRoom()
	results := make([]RangeResult, 0, len(asked))
	for _, r := range asked {
		result, err := s.rangeOf(ctx, by, r, &left)
		if errors.Is(err, skein.ErrUnknownConversation) || errors.Is(err, skein.ErrForbidden) {
			result, err = RangeResult{Err: err}, nil
		}
		if err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	return results, nil
}

func (s *Service) rangeOf(ctx context.Context, by skein.Actor, r Range, left *room) (RangeResult, error) {
	c, floor, err := s.readable(ctx, by, r.Conv)
	if err != nil {
		return RangeResult{}, err
	}
	result := RangeResult{LastSeq: c.LastSeq, Floor: floor, Changes: ChangePage{Last: c.Changes}}
	if r.AfterSeq != nil {
		if err := s.fillMessages(ctx, by, r, left, &result); err != nil {
			return result, err
		}
	}
	if r.AfterChange != nil {
		page, err := s.changesOf(ctx, by, c, floor, *r.AfterChange, left.most(r.Limit))
		if err != nil {
			return result, err
		}
		page.fit(left)
		result.Changes = page
	}
	return result, nil
}

func (s *Service) fillMessages(ctx context.Context, by skein.Actor, r Range, left *room, result *RangeResult) error {
	after := max(*r.AfterSeq, result.Floor)
	if after >= result.LastSeq {
		return nil
	}
	messages, err := s.store.Messages(ctx, by.App.ID, r.Conv, skein.SeqRange{After: after, Limit: left.most(r.Limit), Viewer: by.Client})
	if err != nil {
		return err
	}
	kept := left.take(len(messages), func(i int) *skein.Message { return &messages[i] })
	result.Messages = messages[:kept]
	if kept > 0 {
		after = messages[kept-1].Seq
	}
	result.LastSeq = max(result.LastSeq, after)
	result.More = after < result.LastSeq || kept < len(messages)
	return nil
}

// room is what an answer may still hold.
type room struct{ items, volume int }

// newRoom is the room of one call, more than the largest message needs.
func newRoom() room { return room{items: maxItems, volume: maxVolume} }

// most is how many items there is room for, limit at most.
func (r *room) most(limit int) int { return min(limit, r.items) }

// take says how many of the first n items there is room for, and takes that room.
// After one that found none there is none for the others.
func (r *room) take(n int, item func(int) *skein.Message) int {
	for i := range n {
		volume := volumeOf(item(i))
		if volume > r.volume {
			r.items = 0
			return i
		}
		r.items--
		r.volume -= volume
	}
	return n
}

// volumeOf is about what a message takes in an answer, in bytes.
func volumeOf(m *skein.Message) int {
	const names, emoji = 500, 32 // of the fields; around an emoji
	n := names + len(m.Text) + len(m.Attr) + len(m.URL)
	for _, id := range m.Mentions {
		n += len(id) + len(`"",`)
	}
	for _, r := range m.Reactions {
		n += emoji + len(r.Emoji)
		for _, id := range r.Clients {
			n += len(id) + len(`"",`)
		}
	}
	return n
}
