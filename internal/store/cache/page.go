package cache

import (
	"slices"

	"github.com/skein-im/skein"
)

const (
	// pageLength is how many of the newest messages of a conversation are kept: two
	// pages of the largest usual size.
	pageLength = 50
	// pageBytes bounds what they say; beyond it fewer are kept.
	pageBytes = 256 << 10
)

// page is the newest messages, ascending and without gaps up to the newest of all.
type page struct {
	known    bool
	messages []skein.Message
	hidden   []skein.Hiding // of these messages
	volume   int            // bytes of both, about
}

// newPage is a page of messages, ascending, of which nothing newer exists.
func newPage(messages []skein.Message, hidden []skein.Hiding) page {
	p := page{known: true, messages: messages, hidden: hidden, volume: hidingSize * len(hidden)}
	for i := range messages {
		p.volume += volumeOf(&messages[i])
	}
	p.trim()
	return p
}

// push appends the newest message.
func (p *page) push(m skein.Message) {
	if !p.known || m.Seq <= p.last() {
		return
	}
	p.messages = append(p.messages, m)
	p.volume += volumeOf(&m)
	if len(p.messages) > 2*pageLength || p.volume > 2*pageBytes {
		p.trim()
	}
}

// trim keeps the newest messages within the bounds, in a slice of their own, so
// that the older ones can go.
func (p *page) trim() {
	from, volume := len(p.messages), 0
	for from > 0 && len(p.messages)-from < pageLength && volume < pageBytes {
		from--
		volume += volumeOf(&p.messages[from])
	}
	if from == 0 {
		return
	}
	kept := make([]skein.Message, len(p.messages)-from, 2*pageLength)
	copy(kept, p.messages[from:])
	first := kept[0].Seq
	p.hidden = slices.DeleteFunc(slices.Clone(p.hidden), func(h skein.Hiding) bool { return h.Seq < first })
	p.messages, p.volume = kept, volume+hidingSize*len(p.hidden)
}

// replace puts a newer copy of a message where the older one was.
func (p *page) replace(m skein.Message) {
	i, there := p.index(m.Seq)
	if !there || p.messages[i].Changed > m.Changed {
		return
	}
	p.volume += volumeOf(&m) - volumeOf(&p.messages[i])
	p.messages = slices.Clone(p.messages)
	p.messages[i] = m
}

func (p *page) hide(h skein.Hiding) {
	if _, there := p.index(h.Seq); there {
		p.hidden = append(p.hidden, h)
		p.volume += hidingSize
	}
}

// forgetHider drops the page if the client hid any of its messages from itself: the
// engine knows what is left of that when the client is deleted.
func (p *page) forgetHider(client string) {
	if slices.ContainsFunc(p.hidden, func(h skein.Hiding) bool { return h.Client == client }) {
		*p = page{}
	}
}

// last is the seq of the newest message.
func (p *page) last() int64 {
	if len(p.messages) == 0 {
		return 0
	}
	return p.messages[len(p.messages)-1].Seq
}

// index is where the message with a seq is.
func (p *page) index(seq int64) (int, bool) {
	if len(p.messages) == 0 {
		return 0, false
	}
	i := seq - p.messages[0].Seq
	return int(i), 0 <= i && i < int64(len(p.messages))
}

// read answers a range of seqs, in a slice of its own; ok is false where the page
// does not hold all of it.
func (p *page) read(r skein.SeqRange) (messages []skein.Message, ok bool) {
	if !p.known {
		return nil, false
	}
	last := p.last()
	if r.After >= last || r.Limit <= 0 {
		return nil, true
	}
	first := p.messages[0].Seq
	from, to := r.After+1, last
	if r.Before != 0 {
		to = min(to, r.Before-1)
	}
	if r.Newest {
		from = max(from, to-int64(r.Limit)+1)
	} else {
		to = min(to, r.After+int64(min(r.Limit, pageLength*2)))
	}
	if from > to {
		return nil, true
	}
	if from < first {
		return nil, false
	}
	messages = slices.Clone(p.messages[from-first : to-first+1])
	for _, h := range p.hidden {
		if h.Client == r.Viewer && r.Viewer != "" && from <= h.Seq && h.Seq <= to {
			messages[h.Seq-from].Blank(skein.StatusDeleted)
		}
	}
	if r.Newest {
		slices.Reverse(messages)
	}
	return messages, true
}

// volumeOf is about what a message takes in memory.
func volumeOf(m *skein.Message) int {
	const fixed, each = 400, 24
	n := fixed + len(m.Text) + len(m.Attr) + len(m.URL) + len(m.ClientMsgID) + len(m.Sender)
	for _, id := range m.Mentions {
		n += each + len(id)
	}
	for _, r := range m.Reactions {
		n += each + len(r.Emoji) + each*len(r.Clients)
	}
	return n
}
