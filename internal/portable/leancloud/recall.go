package leancloud

import (
	"fmt"
	"strings"

	"github.com/skein-im/skein/internal/portable/leancloud/folder"
	"github.com/skein-im/skein/internal/portable/leancloud/journal"
)

// recall applies an entry of the journal of a run that was stopped, so that the same request is not
// sent again.
func (d *dump) recall(e journal.Entry) error {
	if e.Step == journal.StepRun {
		return d.recallRun(e.Run)
	}
	switch {
	case e.Done:
		d.done[e.Step+e.Key] = true
	case e.Step == journal.StepConversations:
		for _, raw := range e.Rows {
			if err := d.addConversation(raw); err != nil {
				return err
			}
		}
	case e.Step == journal.StepSubscribers:
		d.addSubscribers(e.Key, e.Rows)
	}
	switch e.Step {
	case journal.StepWalk:
		return d.walk.resume(e)
	case journal.StepHistory:
		if c := d.convs[e.Key]; c != nil {
			c.done = c.done || e.Done
			return d.historyOf(c).resume(e)
		}
	case journal.StepTold:
		if e.Done {
			delete(d.told, e.Key)
			return nil
		}
		return d.toldTo(e.Key).resume(e)
	}
	return nil
}

func (d *dump) recallRun(r *journal.Run) error {
	if r == nil || r.Format != folder.Format || r.Version != folder.Version {
		return fmt.Errorf("%s is the journal of another version of this command", journal.File)
	}
	if r.AppID != d.run.AppID || r.Server != d.run.Server && !d.Finish {
		return fmt.Errorf("the folder has a run of app %s on %s under way: give that app and server, or another folder", r.AppID, r.Server)
	}
	d.run = *r
	d.done[journal.StepRun] = true
	d.begin()
	return nil
}

// begin sets what depends on when the previous run ended.
func (d *dump) begin() {
	d.walk = &chain{step: journal.StepWalk, path: "/1.2/rtm/messages", start: d.run.Since, took: d.walked}
}

// unfinished records what was not asked for when the run ends early.
func (d *dump) unfinished() {
	for _, step := range []struct{ step, what string }{
		{journal.StepConversations, "the list of conversations"}, {journal.StepWalk, "the history of the app"}, {journal.StepInfos, "roles of members"},
		{journal.StepInbound, "messages to system conversations"}, {journal.StepUsers, "users"},
	} {
		if !d.done[step.step] {
			d.holes = append(d.holes, folder.Hole{What: step.what + ": not read to its end"})
		}
	}
	for _, c := range d.order {
		if c.kind != "system" && !c.done && !d.done[journal.StepWalk] {
			d.holes = append(d.holes, folder.Hole{Conv: c.id, What: "history: not read to its end"})
		}
	}
}

// cutKey splits objectId:client; a client id may have a colon, an objectId has none.
func cutKey(key string) (conv, client string) {
	conv, client, _ = strings.Cut(key, ":")
	return conv, client
}
