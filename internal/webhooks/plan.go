package webhooks

import "slices"

// lanes is how many calls an endpoint gets at a time.
const lanes = 8

// batch is the events of one call.
type batch []event

// plan is what is to be delivered of a page. Each lane is delivered in order, by one goroutine; with Ordered all
// events of a conversation are in one lane.
type plan [lanes][]batch

func (p *plan) empty() bool {
	return !slices.ContainsFunc(p[:], func(lane []batch) bool { return len(lane) > 0 })
}

// plan spreads events over the lanes, in their order.
func (e *endpoint) plan(events []event) *plan {
	p := new(plan)
	size := max(1, e.Settings.Batch)
	if !e.Settings.Ordered {
		i := 0
		for c := range slices.Chunk(events, size) {
			p[i%lanes] = append(p[i%lanes], c)
			i++
		}
		return p
	}
	var in [lanes][]event
	for _, ev := range events {
		at := ev.entry.Conv[len(ev.entry.Conv)-1] % lanes // the end of an id is random
		in[at] = append(in[at], ev)
	}
	for i := range in {
		for c := range slices.Chunk(in[i], size) {
			p[i] = append(p[i], c)
		}
	}
	return p
}
