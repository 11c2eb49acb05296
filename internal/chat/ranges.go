package chat

import (
	"context"
	"errors"

	"github.com/skein-im/skein"
)

// ChangePage is a range of a conversation's changes, oldest first.
type ChangePage struct {
	Changes []skein.Change
	More    bool  // later changes exist
	Last    int64 // change_seq of the newest change
}

// Changes is a range of the changes of messages, of about 1 MiB at most. A change that the caller may
// not see comes as skein.ChangeNone, so that the numbers have no gap.
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
	left := newBudget()
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

// fit removes the changes that do not fit.
func (p *ChangePage) fit(left *budget) {
	kept := left.take(len(p.Changes), func(i int) *skein.Message { return &p.Changes[i].Message })
	p.More = p.More || kept < len(p.Changes)
	p.Changes = p.Changes[:kept]
}

// Bounds of the answer to one call. A message that was changed 200 times is on a page of changes 200
// times; without a bound in bytes anybody could ask for megabytes.
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

// RangeResult is the answer to a Range, or Err: skein.ErrUnknownConversation or skein.ErrForbidden.
type RangeResult struct {
	Err      error
	Messages []skein.Message // oldest first
	More     bool            // later messages exist
	LastSeq  int64
	Floor    int64 // the caller sees no message up to this seq
	Changes  ChangePage
}

// Ranges answers many ranges, in their order. Together the answers hold at most 2,000 messages and
// changes and about 1 MiB; more is left out, with More set. Errors: skein.ErrUnknownClient, skein.ErrBanned about the caller.
func (s *Service) Ranges(ctx context.Context, by skein.Actor, asked []Range) ([]RangeResult, error) {
	if !by.Server() {
		if err := s.standing(ctx, by.App.ID, by.Client); err != nil {
			return nil, err
		}
	}
	left := newBudget()
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

func (s *Service) rangeOf(ctx context.Context, by skein.Actor, r Range, left *budget) (RangeResult, error) {
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

func (s *Service) fillMessages(ctx context.Context, by skein.Actor, r Range, left *budget, result *RangeResult) error {
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

// budget is how much an answer may still hold.
type budget struct{ items, volume int }

// newBudget is the budget of one call. The largest message fits into it.
func newBudget() budget { return budget{items: maxItems, volume: maxVolume} }

// most is how many items fit, limit at most.
func (b *budget) most(limit int) int { return min(limit, b.items) }

// take returns how many of the first n items fit, and subtracts them. After an item that does not
// fit, nothing fits any more.
func (b *budget) take(n int, item func(int) *skein.Message) int {
	for i := range n {
		volume := volumeOf(item(i))
		if volume > b.volume {
			b.items = 0
			return i
		}
		b.items--
		b.volume -= volume
	}
	return n
}

// volumeOf is about how many bytes a message takes in an answer.
func volumeOf(m *skein.Message) int {
	const names, emoji = 500, 32 // bytes for the field names; for each emoji
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
