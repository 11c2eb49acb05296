package bench

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/bench/load"
	"github.com/skein-im/skein/internal/bench/report"
)

// pageSize is how many messages a page of the history scenario has.
const pageSize = 20

// history reads pages of a long conversation: the newest, and pages of its older half.
func history(ctx context.Context, r *load.Run) error {
	const usual = 100_000
	total := usual
	if r.Count > 0 {
		total = max(2*pageSize, 10*r.Count)
	}
	id, checked, faults, err := fill(ctx, r, total)
	if err != nil {
		return err
	}
	all, end, err := r.Host.KeepAlives(ctx, r.ClientsOr(connections))
	if err != nil {
		return err
	}
	defer end()
	pages := total / pageSize
	draws := make([]*rand.Rand, len(all)) // one for each connection
	for i := range draws {
		draws[i] = r.Draw()
	}
	for _, p := range []struct {
		name   string
		page   func(*rand.Rand) int
		target *report.Target
	}{
		{"newest", func(*rand.Rand) int { return 1 }, report.AtMost(90)},
		{"deep", func(d *rand.Rand) int { return pages/2 + 1 + d.IntN(pages-pages/2) }, report.AtMost(180)},
	} {
		d := r.Lasting(5 * time.Second)
		q := r.Quota(d)
		m, err := r.Measure(ctx, r.Host, p.name, d, func() error {
			return load.Together(ctx, q, all, func(i int, k *driver.KeepAlive) error {
				page := p.page(draws[i])
				path := fmt.Sprintf("/im/conversations/%s/message?page=%d&size=%d", id, page, pageSize)
				k.Out = append(append(k.Out[:0], r.Host.Head(http.MethodGet, path)...), "\r\n"...)
				answer, err := k.Do()
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
		values := m.Values("page", "pages", q.Taken.Load(), r.ForTheUsual(p.target), nil)
		if err := r.Report(p.name, about, values, fmt.Sprintf("%s; each of %d pages holds its %d messages in order", checked, q.Taken.Load(), pageSize), faults); err != nil {
			return err
		}
	}
	return nil
}

// fill stores total messages in a new conversation and checks that they are there.
func fill(ctx context.Context, r *load.Run, total int) (id, checked string, faults *ledger.Faults, err error) {
	const window = 256
	p, err := r.Couples(ctx, 1)
	if err != nil {
		return "", "", nil, err
	}
	c, err := p.Gather(ctx, r, r.Host, window)
	if err != nil {
		return "", "", nil, err
	}
	defer c.Disperse()
	defer context.AfterFunc(ctx, c.HangUp)()
	q := load.NewQuota(total, r.Limit)
	if err := c.Start(q); err != nil {
		return "", "", nil, err
	}
	if err := c.Settle(ctx, q, r.Patience); err != nil {
		return "", "", nil, err
	}
	c.Disperse()
	if err := r.Stored(ctx, c.Convs); err != nil {
		return "", "", nil, err
	}
	return p.Convs[0], c.Check(), &c.Faults, nil
}

// checkPage checks that a page has the right messages, newest first.
func checkPage(faults *ledger.Faults, answer []byte, page, newest int) {
	key := []byte(`"seq":`)
	rest := answer
	for seq := newest; seq > newest-pageSize && seq > 0; seq-- {
		at := bytes.Index(rest, key)
		if at < 0 {
			faults.Addf("page %d: seq %d is not there", page, seq)
			return
		}
		if got := driver.Number(rest[at:], `"seq":`); got != int64(seq) {
			faults.Addf("page %d: seq %d is where %d is due", page, got, seq)
			return
		}
		rest = rest[at+len(key):]
	}
	if bytes.Contains(rest, key) {
		faults.Addf("page %d: more than %d messages", page, pageSize)
	}
}
