package leancloud

import (
	"context"
	"crypto/md5" //nolint:gosec // how LeanCloud names a history, not a secret
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"sync/atomic"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein/internal/portable/leancloud/api"
	"github.com/skein-im/skein/internal/portable/leancloud/folder"
	"github.com/skein-im/skein/internal/portable/leancloud/journal"
)

// refusedInRow is after how many refusals in a row the roles of further conversations are not
// requested.
const refusedInRow = 20

// memberInfos fetches the roles: by a scan of their class, 1,000 a request, or if that has
// nothing, from each conversation (v2, member-infos).
func (d *dump) memberInfos(ctx context.Context) error {
	if d.isDone(journal.StepInfos, "") {
		return nil
	}
	d.ledger.Step("roles of members", 0)
	found := 0
	err := d.scan(ctx, "_ConversationMemberInfo", journal.StepInfos, func(rows []jsontext.Value) error {
		found += len(rows)
		return nil
	})
	switch {
	case err == nil && found > 0:
		return d.finish(journal.StepInfos, "")
	case err != nil && d.fatal(ctx, err):
		return err
	case !d.PerConversation:
		if err != nil && !errors.Is(err, errNoClass) {
			d.hole("", "roles of members", err)
		}
		return d.finish(journal.StepInfos, "")
	}
	var todo []*conv
	for _, c := range d.order {
		if c.kind != "system" && !d.isDone(journal.StepInfos, c.id) {
			todo = append(todo, c)
		}
	}
	d.ledger.Step("roles of members", len(todo))
	var refused atomic.Int64
	err = api.Each(ctx, todo, func(ctx context.Context, c *conv) error {
		if refused.Load() >= refusedInRow {
			return nil
		}
		err := d.infosOf(ctx, c)
		d.ledger.One()
		switch {
		case err == nil:
			refused.Store(0)
			return d.finish(journal.StepInfos, c.id)
		case d.fatal(ctx, err):
			return err
		case refused.Add(1) == refusedInRow:
			d.holeOrGone("", "roles of members", fmt.Errorf("%d conversations in a row: %w", refusedInRow, err))
			return nil
		}
		d.holeOrGone(c.id, "roles of members", err)
		return nil
	})
	if err == nil && refused.Load() == 0 {
		return d.finish(journal.StepInfos, "")
	}
	return err
}

// infosOf reads by skip and limit until a page is empty.
func (d *dump) infosOf(ctx context.Context, c *conv) error {
	return d.skipped(ctx, c.path("member-infos"), url.Values{}, journal.Entry{Step: journal.StepInfos, Key: c.id})
}

// skipped reads a list by skip and limit into the journal. If the server ignores skip, the first
// row comes again, which ends the reading.
func (d *dump) skipped(ctx context.Context, path string, query url.Values, as journal.Entry) error {
	query.Set("limit", strconv.Itoa(api.PageLimit))
	first := ""
	for skip := 0; ; {
		query.Set("skip", strconv.Itoa(skip))
		answer, err := d.api.Get(ctx, path, query)
		if err != nil {
			return err
		}
		rows, err := folder.Elements(answer)
		if err != nil || len(rows) == 0 || string(rows[0]) == first {
			return err
		}
		as.Rows, first = rows, string(rows[0])
		if err := d.journal.Add(as); err != nil {
			return err
		}
		skip += len(rows)
	}
}

// class scans a class that the app may not have.
func (d *dump) class(ctx context.Context, name, step string) error {
	if d.isDone(step, "") {
		return nil
	}
	d.ledger.Step(name, 0)
	err := d.scan(ctx, name, step, func([]jsontext.Value) error { return nil })
	switch {
	case err == nil || errors.Is(err, errNoClass):
		return d.finish(step, "")
	case d.fatal(ctx, err):
		return err
	}
	d.hole("", "class "+name, err)
	return nil
}

// system fetches the data of system conversations: the messages that clients sent to them, their
// subscribers, their broadcasts and the messages to each subscriber.
func (d *dump) system(ctx context.Context) error {
	if err := d.class(ctx, "_SysMessage", journal.StepInbound); err != nil {
		return err
	}
	if !d.System {
		return nil
	}
	for _, c := range d.order {
		if c.kind != "system" {
			continue
		}
		for _, part := range []struct {
			what string
			do   func(context.Context, *conv) error
		}{{"broadcasts", d.broadcasts}, {"subscribers", d.subscribers}, {"messages to subscribers", d.tell}} {
			if err := part.do(ctx, c); err != nil {
				if d.fatal(ctx, err) {
					return err
				}
				d.holeOrGone(c.id, part.what, err)
			}
		}
	}
	return nil
}

// broadcasts fetches the broadcasts that have not expired (v2, broadcasts). History leaves
// broadcasts out (v1, history).
func (d *dump) broadcasts(ctx context.Context, c *conv) error {
	if d.isDone(journal.StepBroadcasts, c.id) {
		return nil
	}
	err := d.skipped(ctx, "/1.2/rtm/broadcasts", url.Values{"conv_id": {c.id}}, journal.Entry{Step: journal.StepBroadcasts, Key: c.id})
	if err != nil {
		return err
	}
	return d.finish(journal.StepBroadcasts, c.id)
}

// subscribers fetches 50 subscribers a request. The next page begins after the last one (v2,
// subscribers).
func (d *dump) subscribers(ctx context.Context, c *conv) error {
	if d.isDone(journal.StepSubscribers, c.id) {
		return nil
	}
	query := url.Values{"limit": {"50"}}
	if have := d.subs[c.id]; len(have) > 0 {
		query.Set("client_id", have[len(have)-1])
	}
	for {
		answer, err := d.api.Get(ctx, "/1.2/rtm/service-conversations/"+url.PathEscape(c.id)+"/subscribers", query)
		if err != nil {
			return err
		}
		rows, err := folder.Elements(answer)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return d.finish(journal.StepSubscribers, c.id)
		}
		last := folder.Field(rows[len(rows)-1], "subscriber")
		if last == "" || last == query.Get("client_id") {
			return errors.New("a page of subscribers does not go on")
		}
		d.addSubscribers(c.id, rows)
		if err := d.journal.Add(journal.Entry{Step: journal.StepSubscribers, Key: c.id, Rows: rows}); err != nil {
			return err
		}
		query.Set("client_id", last)
	}
}

func (d *dump) addSubscribers(conv string, rows []jsontext.Value) {
	for _, raw := range rows {
		if id := folder.Field(raw, "subscriber"); id != "" {
			d.subs[conv] = append(d.subs[conv], id)
		}
	}
}

// tell fetches the messages to each subscriber (v2, messages to a subscriber).
func (d *dump) tell(ctx context.Context, c *conv) error {
	walked := d.isDone(journal.StepWalk, "")
	clients := d.subs[c.id]
	d.ledger.Step("messages of system conversation "+c.id, len(clients))
	return api.Each(ctx, clients, func(ctx context.Context, client string) error {
		defer d.ledger.One()
		key := c.id + ":" + client
		if d.isDone(journal.StepTold, key) {
			return nil
		}
		chain := d.toldTo(key)
		if walked {
			chain.agreed = func(got tally) bool { return got == d.tallyTo(key) }
		}
		err := d.read(ctx, chain)
		switch {
		case err == nil:
			return d.finish(journal.StepTold, key)
		case d.fatal(ctx, err):
			return err
		}
		d.holeOrGone(c.id, fmt.Sprintf("messages to subscriber %q", client), err)
		return nil
	})
}

// toldTo is the history of one subscriber; key is objectId:client.
func (d *dump) toldTo(key string) *chain {
	id, client := cutKey(key)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.told[key] == nil {
		at := &chain{
			step: journal.StepTold, key: key,
			path: "/1.2/rtm/service-conversations/" + url.PathEscape(id) + "/subscribers/" + url.PathEscape(client) + "/messages",
		}
		if c := d.convs[id]; c != nil && c.start > 0 {
			at.start, at.lo = min(c.start, d.run.Since), d.compared(c)
		}
		d.told[key] = at
	}
	return d.told[key]
}

// tallyTo returns the tally of the messages to one subscriber in the app's history. Their conv-id
// is the MD5 of objectId:client (v1, history of system conversations).
func (d *dump) tallyTo(key string) tally {
	sum := md5.Sum([]byte(key)) //nolint:gosec // see the import
	d.mu.Lock()
	defer d.mu.Unlock()
	if t := d.toldTally[hex.EncodeToString(sum[:])]; t != nil {
		return *t
	}
	return tally{}
}
