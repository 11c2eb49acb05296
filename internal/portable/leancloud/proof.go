package leancloud

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
)

// proving is what is counted while a list of messages is written.
type proving struct {
	after, began int64 // times between which both histories must have the same messages
	first, end   kept
	ids          []uint64 // hashes of msg-ids; nil in the end

	list              List
	duplicates        int64 // msg-ids that are there more than once
	onlyApp, onlyConv int64 // messages that one of both histories has
}

func (p *proving) add(k kept) {
	if len(p.ids) == 0 {
		p.first = k
	}
	p.end = k
	p.ids = append(p.ids, sum64([]byte(k.sub+"\x00"+k.id)))
	falling := p.began - retention.Milliseconds() + (48 * time.Hour).Milliseconds()
	switch {
	case k.time <= p.after || k.time > p.began:
	case k.source == fromApp && k.time > falling: // older ones may have fallen out in between
		p.onlyApp++
	case k.source == fromConv:
		p.onlyConv++
	}
}

func (p *proving) finish(list List) {
	slices.Sort(p.ids)
	p.duplicates = int64(len(p.ids) - len(slices.Compact(p.ids)))
	p.ids = nil
	p.first.conv, p.end.conv, p.list = "", "", list
}

// prove writes the proof: a line a conversation, those of earlier runs too, and the sums
// in the manifest.
func (d *dump) prove(run map[string]*proving, m *Manifest) error {
	all := map[string]Proof{}
	for line, err := range Lines(d.path(ProofFile)) {
		var p Proof
		if err == nil {
			err = json.Unmarshal(line, &p)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", ProofFile, err)
		}
		all[p.Conv] = p
	}
	for _, c := range d.order {
		p := all[c.id]
		p.Conv, p.Kind = c.id, c.kind
		all[c.id] = p
	}
	for id, r := range run {
		p := all[id]
		p.Conv, p.Kind = id, cmp.Or(p.Kind, "unknown")
		p.Count, p.SHA256, p.Duplicates = r.list.Lines, r.list.SHA256, r.duplicates
		p.Oldest, p.OldestID, p.Newest, p.NewestID = r.first.time, r.first.id, r.end.time, r.end.id
		all[id] = p
	}
	for _, c := range d.order {
		p := all[c.id]
		p.Checked = d.checked(c, p, run[c.id])
		all[c.id] = p
	}
	w, err := writeList(d.path(ProofFile))
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		p := all[id]
		m.Messages.count(p)
		if err := w.value(p); err != nil {
			w.drop()
			return err
		}
	}
	m.Messages.WholeApp = d.done[stepWalk]
	m.Lists[ProofFile], err = w.end()
	return err
}

func (m *Messages) count(p Proof) {
	if p.Count == 0 {
		return
	}
	m.Conversations++
	m.Count += p.Count
	m.Duplicates += p.Duplicates
	m.Newest = max(m.Newest, p.Newest)
	if m.Oldest == 0 || p.Oldest < m.Oldest {
		m.Oldest = p.Oldest
	}
}

// checked says whether a conversation was read to its end, and notes what looks wrong.
func (d *dump) checked(c *conv, p Proof, r *proving) bool {
	if c.kind == "system" {
		return d.done[stepSubscribers+c.id] && !slices.ContainsFunc(d.subs[c.id], func(client string) bool {
			return !d.done[stepTold+c.id+":"+client]
		})
	}
	if late := c.last - p.Newest; c.kind == "conversation" && c.last > d.run.Began-retention.Milliseconds() && late > (10*time.Minute).Milliseconds() {
		d.holes = append(d.holes, Hole{Conv: c.id, Doubt: true, What: fmt.Sprintf("its row says that its last message was at %s; the newest that LeanCloud answers is %s",
			moment(c.last), moment(p.Newest))})
	}
	if !d.done[stepHistory+c.id] {
		return c.chain == nil && d.before.proofs[c.id].checked
	}
	if r == nil || !d.done[stepWalk] {
		return true
	}
	if r.onlyApp+r.onlyConv == 0 {
		return true
	}
	d.holes = append(d.holes, Hole{Conv: c.id, Doubt: true, What: fmt.Sprintf(
		"%d messages are in the history of the app alone, %d in that of the conversation alone; all are kept", r.onlyApp, r.onlyConv)})
	return false
}

// String is for people.
func (m moment) String() string {
	if m == 0 {
		return "none"
	}
	return time.UnixMilli(int64(m)).UTC().Format("2006-01-02 15:04:05")
}
