package leancloud

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/skein-im/skein/internal/portable/leancloud/folder"
	"github.com/skein-im/skein/internal/portable/leancloud/journal"
	"github.com/skein-im/skein/internal/portable/leancloud/sorting"
)

// proving counts while a list of messages is written.
type proving struct {
	after, began int64 // times between which both histories must have the same messages
	first, end   sorting.Message
	ids          []uint64 // hashes of msg-ids; nil in the end

	list              folder.List
	duplicates        int64 // msg-ids that are there more than once
	onlyApp, onlyConv int64 // messages that one of both histories has
}

func (p *proving) add(k sorting.Message) {
	if len(p.ids) == 0 {
		p.first = k
	}
	p.end = k
	p.ids = append(p.ids, sorting.Hash([]byte(k.Sub+"\x00"+k.ID)))
	falling := p.began - retention.Milliseconds() + (48 * time.Hour).Milliseconds()
	switch {
	case k.Time <= p.after || k.Time > p.began:
	case k.Source == sorting.FromApp && k.Time > falling: // older ones may have fallen out in between
		p.onlyApp++
	case k.Source == sorting.FromConv:
		p.onlyConv++
	}
}

func (p *proving) finish(list folder.List) {
	slices.Sort(p.ids)
	p.duplicates = int64(len(p.ids) - len(slices.Compact(p.ids)))
	p.ids = nil
	p.first.Conv, p.end.Conv, p.list = "", "", list
}

// prove writes a line of the proof for each conversation, those of earlier runs too, and the sums in
// the manifest.
func (d *dump) prove(run map[string]*proving, m *folder.Manifest) error {
	all := map[string]folder.Proof{}
	for line, err := range folder.Lines(d.path(folder.ProofFile)) {
		var p folder.Proof
		if err == nil {
			err = json.Unmarshal(line, &p)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", folder.ProofFile, err)
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
		p.Oldest, p.OldestID, p.Newest, p.NewestID = r.first.Time, r.first.ID, r.end.Time, r.end.ID
		all[id] = p
	}
	for _, c := range d.order {
		p := all[c.id]
		p.Checked = d.checked(c, p, run[c.id])
		all[c.id] = p
	}
	w, err := folder.WriteList(d.path(folder.ProofFile))
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		p := all[id]
		m.Messages.Add(p)
		if err := w.Value(p); err != nil {
			w.Drop()
			return err
		}
	}
	m.Messages.WholeApp = d.done[journal.StepWalk]
	m.Lists[folder.ProofFile], err = w.End()
	return err
}

// checked reports whether a conversation was read to its end, and records what does not agree.
func (d *dump) checked(c *conv, p folder.Proof, r *proving) bool {
	if c.kind == "system" {
		return d.done[journal.StepSubscribers+c.id] && !slices.ContainsFunc(d.subs[c.id], func(client string) bool {
			return !d.done[journal.StepTold+c.id+":"+client]
		})
	}
	if late := c.last - p.Newest; c.kind == "conversation" && c.last > d.run.Began-retention.Milliseconds() && late > (10*time.Minute).Milliseconds() {
		d.holes = append(d.holes, folder.Hole{Conv: c.id, Doubt: true, What: fmt.Sprintf("its row says that its last message was at %s; the newest that LeanCloud answers is %s",
			folder.Moment(c.last), folder.Moment(p.Newest))})
	}
	if !d.done[journal.StepHistory+c.id] {
		return c.chain == nil && d.before.proofs[c.id].checked
	}
	if r == nil || !d.done[journal.StepWalk] {
		return true
	}
	if r.onlyApp+r.onlyConv == 0 {
		return true
	}
	d.holes = append(d.holes, folder.Hole{Conv: c.id, Doubt: true, What: fmt.Sprintf(
		"%d messages are in the history of the app alone, %d in that of the conversation alone; all are kept", r.onlyApp, r.onlyConv)})
	return false
}
