package bench

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/bench/report"
)

// pageSize is how many messages a page of the history scenario has.
const pageSize = 20

// history: pages of a long conversation, the newest and those of its older half.
func history(ctx context.Context, r *run) error {
	const usual = 100_000
	total := usual
	if r.Count > 0 {
		total = max(2*pageSize, 10*r.Count)
	}
	id, checked, faults, err := r.fill(ctx, total)
	if err != nil {
		return err
	}
	all, end, err := r.host.keepAlives(ctx, r.clients(connections))
	if err != nil {
		return err
	}
	defer end()
	pages := total / pageSize
	draws := make([]*drawing, len(all)) // one for each connection
	for i := range draws {
		draws[i] = r.draw()
	}
	for _, p := range []struct {
		name   string
		page   func(*drawing) int
		target *report.Target
	}{
		{"newest", func(*drawing) int { return 1 }, report.AtMost(90)},
		{"deep", func(d *drawing) int { return pages/2 + 1 + d.IntN(pages-pages/2) }, report.AtMost(180)},
	} {
		d := r.lasting(5 * time.Second)
		q := r.quota(d)
		m, err := r.measure(ctx, r.host, p.name, d, func() error {
			return together(ctx, q, all, func(i int, k *keepAlive) error {
				page := p.page(draws[i])
				path := fmt.Sprintf("/im/conversations/%s/message?page=%d&size=%d", id, page, pageSize)
				k.out = append(append(k.out[:0], r.host.head(http.MethodGet, path)...), "\r\n"...)
				answer, err := k.do()
				if err == nil {
					checkPage(faults, answer, page, total-(page-1)*pageSize)
				}
				return err
			})
		})
		if err != nil {
			return err
		}
		about := fmt.Sprintf("pages of %d of %d messages, %d keep-alive connections", pageSize, total, len(all))
		values := m.values("page", "pages", q.taken.Load(), r.forTheUsual(p.target), nil)
		if err := r.phase(p.name, about, values, fmt.Sprintf("%s; each of %d pages holds its %d messages in order", checked, q.taken.Load(), pageSize), faults); err != nil {
			return err
		}
	}
	return nil
}

// fill stores total messages in a new conversation.
func (r *run) fill(ctx context.Context, total int) (id, checked string, faults *ledger.Faults, err error) {
	const window = 256
	p, err := r.couples(ctx, 1)
	if err != nil {
		return "", "", nil, err
	}
	c, err := p.gather(ctx, r, r.host, window)
	if err != nil {
		return "", "", nil, err
	}
	defer c.disperse()
	defer context.AfterFunc(ctx, c.hangUp)()
	q := newQuota(total, r.limit)
	if err := c.start(q); err != nil {
		return "", "", nil, err
	}
	if err := c.settle(ctx, q, r.patience); err != nil {
		return "", "", nil, err
	}
	c.disperse()
	if err := r.stored(ctx, c.convs); err != nil {
		return "", "", nil, err
	}
	return p.convs[0], c.check(), &c.faults, nil
}

// checkPage wants the messages of a page, newest first.
func checkPage(faults *ledger.Faults, answer []byte, page, newest int) {
	key := []byte(`"seq":`)
	rest := answer
	for seq := newest; seq > newest-pageSize && seq > 0; seq-- {
		at := bytes.Index(rest, key)
		if at < 0 {
			faults.Addf("page %d: seq %d is not there", page, seq)
			return
		}
		if got := number(rest[at:], `"seq":`); got != int64(seq) {
			faults.Addf("page %d: seq %d is where %d is due", page, got, seq)
			return
		}
		rest = rest[at+len(key):]
	}
	if bytes.Contains(rest, key) {
		faults.Addf("page %d: more than %d messages", page, pageSize)
	}
}
