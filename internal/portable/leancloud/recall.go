package leancloud

import (
	"fmt"
	"strings"
)

// recall takes one entry of the journal of a run that was stopped, so that what it asked
// is not asked again.
func (d *dump) recall(e entry) error {
	if e.Step == stepRun {
		return d.recallRun(e.Run)
	}
	switch {
	case e.Done:
		d.done[e.Step+e.Key] = true
	case e.Step == stepConversations:
		for _, raw := range e.Rows {
			if err := d.addConversation(raw); err != nil {
				return err
			}
		}
	case e.Step == stepSubscribers:
		d.addSubscribers(e.Key, e.Rows)
	}
	switch e.Step {
	case stepWalk:
		return d.walk.place(e)
	case stepHistory:
		if c := d.convs[e.Key]; c != nil {
			c.done = c.done || e.Done
			return d.historyOf(c).place(e)
		}
	case stepTold:
		if e.Done {
			delete(d.told, e.Key)
			return nil
		}
		return d.toldTo(e.Key).place(e)
	}
	return nil
}

func (d *dump) recallRun(r *run) error {
	if r == nil || r.Format != Format || r.Version != Version {
		return fmt.Errorf("%s is the journal of another version of this command", journalFile)
	}
	if r.AppID != d.run.AppID || r.Server != d.run.Server && !d.Finish {
		return fmt.Errorf("the folder has a run of app %s on %s under way: give that app and server, or another folder", r.AppID, r.Server)
	}
	d.run = *r
	d.done[stepRun] = true
	d.begin()
	return nil
}

// begin makes what depends on when the run before ended.
func (d *dump) begin() {
	d.walk = &chain{step: stepWalk, path: "/1.2/rtm/messages", start: d.run.Since, took: d.walked}
}

// unfinished notes what a run that is to end now has not asked for.
func (d *dump) unfinished() {
	for _, step := range []struct{ step, what string }{
		{stepConversations, "the list of conversations"}, {stepWalk, "the history of the app"}, {stepInfos, "roles of members"},
		{stepInbound, "messages to system conversations"}, {stepUsers, "users"},
	} {
		if !d.done[step.step] {
			d.holes = append(d.holes, Hole{What: step.what + ": not read to its end"})
		}
	}
	for _, c := range d.order {
		if c.kind != "system" && !c.done && !d.done[stepWalk] {
			d.holes = append(d.holes, Hole{Conv: c.id, What: "history: not read to its end"})
		}
	}
}

// cutKey splits objectId:client; a client id may have a colon, an objectId has none.
func cutKey(key string) (conv, client string) {
	conv, client, _ = strings.Cut(key, ":")
	return conv, client
}
