package chaos

import (
	"context"
	"slices"
)

// farewell is what happens last, while every other device is off: a change in each
// conversation, and somebody taken out. No message follows, so those who were off
// learn of it by sync or never. Some of them come back as new devices, which know
// only what they are told now.
func (r *round) farewell(ctx context.Context) error {
	told := map[string]bool{}
	for i, d := range r.devices {
		d.setAway(i%2 == 1)
	}
	for i, d := range r.devices {
		if i%2 == 1 {
			continue
		}
		for conv, m := range d.newest() {
			if told[conv] {
				continue
			}
			told[conv] = true
			on := 1
			if _, err := d.do(ctx, "msg.react", args{ConvID: conv, MsgID: m.ID, Emoji: "bye", On: &on}, 0); err != nil {
				return err
			}
		}
	}
	for _, door := range r.doors {
		if err := door.showOut(ctx); err != nil {
			return err
		}
	}
	for i, d := range r.devices {
		if i%4 == 1 {
			d.reinstall()
		}
		d.setAway(false)
	}
	return nil
}

// newest is the newest message that can be read of each conversation.
func (d *device) newest() map[string]message {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[string]message{}
	for conv, t := range d.talks {
		for _, m := range t.held() {
			if !m.blank() {
				out[conv] = m
			}
		}
	}
	return out
}

// showOut takes a guest out who has a device that is off.
func (r *registrar) showOut(ctx context.Context) error {
	for _, p := range r.places {
		for _, guest := range p.guests {
			off := slices.ContainsFunc(r.devices[guest], func(d *device) bool { return d.away.Load() })
			if p.in[guest] && off {
				p.in[guest] = false
				return r.backend(ctx, "conv.members.remove", "DELETE", convPath(p.id, "/members"), args{ConvID: p.id, ClientIDs: []string{guest}})
			}
		}
	}
	return nil
}
