package leancloud

import (
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein/internal/portable/leancloud/api"
	"github.com/skein-im/skein/internal/portable/leancloud/folder"
	"github.com/skein-im/skein/internal/portable/leancloud/journal"
)

// farFuture is later than every message, even if the server's clock is ahead. By default history
// ends at the server's present time (v2, history).
const farFuture = 4102444800000 // 2100-01-01

// cursor is the last row of a page. The next request needs both parts: the time alone is
// exclusive, so the rest of its millisecond would be lost (v2, history).
type cursor struct {
	time int64
	id   string
}

// tally compares two sets of messages without keeping them.
type tally struct {
	count int64
	mix   uint64
}

func (t *tally) add(id string) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // never fails
	t.count++
	t.mix += h.Sum64()
}

// chain is one history: of the app, of a conversation, or to one subscriber. Its pages go up from
// the oldest row to a short page, and then down from the newest row until they meet. So there is
// no gap if a page is cut short, a row is ahead of the server's clock, or the server ignores
// reversed.
type chain struct {
	step, key string
	path      string
	start     int64 // Unix milliseconds; the folder already has what is not newer
	lo        int64 // Unix milliseconds; got counts only what is newer
	up, down  *cursor
	got       tally // going up
	agreed    func(tally) bool
	took      func(folder.Row)
}

// flat lists the steps for which the server ignores reversed.
func (d *dump) flat(step string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.flatSteps[step]
}

func (d *dump) setFlat(step string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.flatSteps[step] = true
}

// read reads a chain to its end. It does not request again what the journal has.
func (d *dump) read(ctx context.Context, c *chain) error {
	meet := c.start
	if c.down == nil && !d.flat(c.step) {
		agreed, err := d.readUp(ctx, c)
		if err != nil || agreed {
			return err
		}
	}
	if !d.flat(c.step) && c.up != nil {
		meet = c.up.time
	}
	return d.readDown(ctx, c, meet)
}

// readUp reads oldest first until a page is not full. agreed: what it read equals what the
// history of the whole app has, so this is the end.
func (d *dump) readUp(ctx context.Context, c *chain) (agreed bool, err error) {
	for {
		query := url.Values{"reversed": {"true"}}
		if c.up != nil {
			query.Set("timestamp", strconv.FormatInt(c.up.time, 10))
			query.Set("msgid", c.up.id)
		} else if c.start > 0 {
			query.Set("timestamp", strconv.FormatInt(c.start, 10))
		}
		rows, full, err := d.page(ctx, c.path, query)
		no, refused := errors.AsType[*api.Refusal](err)
		switch {
		case refused && no.Status == http.StatusBadRequest:
			d.setFlat(c.step) // LeanCloud's pages do not say what an older server does with reversed
			return false, nil
		case err != nil:
			return false, err
		case !ascending(rows, c.up):
			d.setFlat(c.step)
			return false, d.keep(c, rows, true, false)
		}
		if err := d.keep(c, rows, false, true); err != nil {
			return false, err
		}
		last := end(rows)
		if !full || c.up != nil && *last == *c.up { // the same page again is an end too
			c.up = cmp.Or(last, c.up)
			return c.agreed != nil && c.agreed(c.got), nil
		}
		c.up = last
	}
}

// end is the position after a page; nil if the page is empty.
func end(rows []folder.Row) *cursor {
	if len(rows) == 0 {
		return nil
	}
	return &cursor{rows[len(rows)-1].Time, rows[len(rows)-1].ID}
}

// readDown reads newest first until it is older than meet, or to the end.
func (d *dump) readDown(ctx context.Context, c *chain, meet int64) error {
	for {
		query := url.Values{"timestamp": {strconv.FormatInt(farFuture, 10)}}
		if c.down != nil {
			query.Set("timestamp", strconv.FormatInt(c.down.time, 10))
			query.Set("msgid", c.down.id)
		}
		if meet > 0 {
			query.Set("till_timestamp", strconv.FormatInt(meet-1, 10))
		}
		rows, _, err := d.page(ctx, c.path, query)
		if err != nil || len(rows) == 0 {
			return err
		}
		last := end(rows)
		if c.down != nil && *last == *c.down {
			return errors.New("history answers the same page again and again")
		}
		if err := d.keep(c, rows, true, true); err != nil {
			return err
		}
		c.down = last
		if last.time < meet || c.meets(rows) {
			return nil
		}
	}
}

// ascending reports whether a page is oldest first and follows the cursor.
func ascending(rows []folder.Row, after *cursor) bool {
	at := int64(0)
	if after != nil {
		at = after.time
	}
	for _, r := range rows {
		if r.Time < at {
			return false
		}
		at = r.Time
	}
	return true
}

// keep writes a page to the journal. advance: after a kill the chain continues behind this page.
func (d *dump) keep(c *chain, rows []folder.Row, down, advance bool) error {
	if len(rows) == 0 {
		return nil
	}
	raw := make([]jsontext.Value, len(rows))
	for i, r := range rows {
		raw[i] = r.Raw
		if !down && r.Time > c.lo {
			c.got.add(r.ID)
		}
		if c.took != nil && c.first(r, down, !advance) {
			c.took(r)
		}
	}
	d.ledger.Messages(len(rows), rows[len(rows)-1].Time)
	return d.journal.Add(journal.Entry{Step: c.step, Key: c.key, Rows: raw, Down: down, Aside: !advance})
}

// page requests one page of history: 1,000 rows; without a limit it would have 100 (v2, history).
// A page that is cut off again and again is requested in smaller parts.
func (d *dump) page(ctx context.Context, path string, query url.Values) (rows []folder.Row, full bool, err error) {
	for limit := d.Page; ; limit /= 4 {
		query.Set("limit", strconv.Itoa(limit))
		answer, err := d.api.Get(ctx, path, query)
		if errors.Is(err, api.ErrCut) && limit > 10 {
			continue
		}
		if err != nil {
			return nil, false, err
		}
		raw, err := folder.Elements(answer)
		if err != nil {
			return nil, false, err
		}
		rows = make([]folder.Row, len(raw))
		for i := range raw {
			if rows[i], err = folder.ReadRow(raw[i]); err != nil {
				return nil, false, err
			}
		}
		return rows, len(rows) >= limit, nil
	}
}

// meets reports whether a page, newest first, has the row where reading upwards ended.
func (c *chain) meets(rows []folder.Row) bool {
	return c.up != nil && slices.ContainsFunc(rows, func(r folder.Row) bool { return r.Time == c.up.time && r.ID == c.up.id })
}

// first reports whether a row was not on an earlier page of the chain.
func (c *chain) first(r folder.Row, down, aside bool) bool {
	return !aside && (!down || c.up == nil || r.Time > c.up.time)
}

// resume sets a chain to where the journal ends.
func (c *chain) resume(e journal.Entry) error {
	for _, raw := range e.Rows {
		r, err := folder.ReadRow(raw)
		if err != nil {
			return err
		}
		if c.took != nil && c.first(r, e.Down, e.Aside) {
			c.took(r)
		}
		at := &cursor{r.Time, r.ID}
		switch {
		case e.Aside:
		case e.Down:
			c.down = at
		default:
			c.up = at
			if r.Time > c.lo {
				c.got.add(r.ID)
			}
		}
	}
	return nil
}
