package committer

import (
	"context"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/share"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
)

// draft is a skein.Draft with everything that can be prepared before its batch, and its
// answer.
type draft struct {
	*skein.Draft

	mentions []byte // JSON; nil: none
	hash     []byte // of the content; nil: no client_msg_id
	tag      int64  // of its retries
	uploads  []string

	answer *store.Appended
	call   *call
	line   *share.Line[*draft]
}

// call is a caller waiting for its drafts. Owned by the committer once they are queued.
type call struct {
	ended func() error // the caller's ctx.Err: a draft nobody waits for any more is not begun
	since time.Time
	left  int // drafts without an answer
	done  chan struct{}
}

// Append stores a draft; see store.Messages.
func (s *Store) Append(ctx context.Context, d skein.Draft) (skein.Message, bool, error) {
	all, err := s.AppendAll(ctx, []skein.Draft{d})
	if err != nil {
		return skein.Message{}, false, err
	}
	return all[0].Message, all[0].Again, all[0].Err
}

// AppendAll stores drafts, in one batch or several. All count as writes of the first one's
// app; see store.Messages.
func (s *Store) AppendAll(ctx context.Context, drafts []skein.Draft) ([]store.Appended, error) {
	if len(drafts) == 0 {
		return nil, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.db.Away() { // else they would wait for a batch whose outcome is sought
		return nil, skein.ErrUnavailable
	}
	answers, all := make([]store.Appended, len(drafts)), make([]draft, len(drafts))
	waiting := make([]*draft, len(drafts))
	c := &call{ended: ctx.Err, since: s.committer.pace.Now(), left: len(drafts), done: make(chan struct{})}
	for i := range drafts {
		all[i].write(&drafts[i], s.db.Salt)
		all[i].answer, all[i].call = &answers[i], c
		waiting[i] = &all[i]
	}
	if err := s.committer.queue.put(drafts[0].App, waiting); err != nil {
		s.db.Metrics.Refused.Add(float64(len(drafts)))
		return nil, err
	}
	defer share.Pause(ctx).Resume()
	select {
	case <-c.done:
		return answers, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// write fills an empty draft; salt is the store's, for the tag.
func (d *draft) write(from *skein.Draft, salt []byte) {
	d.Draft, d.uploads = from, from.Uploads()
	d.mentions = rows.MentionsJSON(from.Mentions)
	if from.ClientMsgID != "" {
		d.hash = rows.ContentHash(rows.Canonical(from.Sent()))
		d.tag = int64(rows.LongRetryTag(salt, from.Sender, from.ClientMsgID) >> 1)
	}
}

// holding is about what the draft holds while it waits.
func (d *draft) holding() holding {
	const fixed = 512
	return holding{1, fixed + len(d.Text) + len(d.Attr) + len(d.URL) + len(d.mentions)}
}

// About what a row and a byte cost the committer. The guess decides whose turn it is; an app
// is charged for the time that its batches really took.
const (
	rowCost  = 30 * time.Microsecond
	byteCost = 5 * time.Nanosecond
)

func (d *draft) cost() time.Duration {
	rows := 1 + len(d.Mentions) + len(d.uploads)
	return time.Duration(rows)*rowCost + time.Duration(d.holding().bytes)*byteCost
}

// finish answers the draft.
func (d *draft) finish() {
	if d.call.left--; d.call.left == 0 {
		close(d.call.done)
	}
}
