package leancloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein/internal/portable/leancloud/api"
	"github.com/skein-im/skein/internal/portable/leancloud/folder"
	"github.com/skein-im/skein/internal/portable/leancloud/journal"
)

// listConversations takes the rows of the class _Conversation from a scan or from an
// export of the console.
func (d *dump) listConversations(ctx context.Context) error {
	if d.isDone(journal.StepConversations, "") {
		return nil
	}
	d.ledger.Step("conversations", 0)
	if d.Conversations != "" {
		return d.exported(d.Conversations)
	}
	err := d.scan(ctx, "_Conversation", journal.StepConversations, func(rows []jsontext.Value) error {
		for _, raw := range rows {
			if err := d.addConversation(raw); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errNoClass) {
		d.Say("the app has no class _Conversation: it has no conversations")
		err = nil
	}
	if err != nil {
		return err
	}
	return d.finish(journal.StepConversations, "")
}

// exported reads an export of the console: JSON Lines. A line that begins with # describes the
// file.
func (d *dump) exported(file string) error {
	var rows []jsontext.Value
	flush := func() error {
		err := d.journal.Add(journal.Entry{Step: journal.StepConversations, Rows: rows})
		rows = rows[:0]
		return err
	}
	n := 0
	for line, err := range folder.TextLines(file) {
		n++
		if err != nil {
			return err
		}
		line = bytes.TrimPrefix(bytes.TrimSpace(line), []byte("\ufeff"))
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		raw := jsontext.Value(bytes.Clone(line))
		if err := raw.Compact(); err != nil || raw.Kind() != '{' {
			return fmt.Errorf("%s: line %d is no JSON object, such as an export of the class _Conversation has", file, n)
		}
		if err := d.addConversation(raw); err != nil {
			return fmt.Errorf("%s: line %d: %w", file, n, err)
		}
		if rows = append(rows, raw); len(rows) == 500 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if n == 0 {
		if _, err := os.Stat(file); err != nil {
			return err
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return d.finish(journal.StepConversations, "")
}

// addConversation takes a raw row of _Conversation (overview, conversation): tr marks a
// chat room, sys a system conversation, lm is when the last message was.
func (d *dump) addConversation(raw jsontext.Value) error {
	var r struct {
		ID      folder.Text   `json:"objectId"`
		Room    folder.Truth  `json:"tr"`
		System  folder.Truth  `json:"sys"`
		Created folder.Moment `json:"createdAt"`
		Last    folder.Moment `json:"lm"`
	}
	if err := json.Unmarshal(raw, &r, folder.Lenient); err != nil {
		return err
	}
	if r.ID == "" {
		return errors.New("a conversation without objectId")
	}
	id := string(r.ID)
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.convs[id]
	if c == nil {
		c = &conv{id: id}
		d.convs[id] = c
		d.order = append(d.order, c)
	}
	c.kind = "conversation"
	switch {
	case bool(r.System):
		c.kind = "system"
	case bool(r.Room):
		c.kind = "room"
	}
	c.created, c.last = int64(r.Created), int64(r.Last)
	if c.created == 0 && len(id) == 24 { // an objectId begins with the second it was made in
		if s, err := strconv.ParseInt(id[:8], 16, 64); err == nil {
			c.created = s * 1000
		}
	}
	if proof, ok := d.before.proofs[id]; ok && proof.checked {
		c.start = max(0, proof.newest-overlap.Milliseconds())
	}
	return nil
}

func (d *dump) known(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.convs[id] != nil
}

// compared is the time from which on the history of a conversation and the history of the app
// must have the same messages: both were read from that time or earlier.
func (d *dump) compared(c *conv) int64 { return max(c.start, d.run.Since) }

// historyOf is the history of a group, a private conversation or a chat room (v2, history of
// each).
func (d *dump) historyOf(c *conv) *chain {
	if c.chain == nil {
		c.chain = &chain{step: journal.StepHistory, key: c.id, path: c.path("messages"), start: c.start, lo: d.compared(c)}
	}
	return c.chain
}

// path is the path of a request about a conversation.
func (c *conv) path(of string) string {
	group := "conversations"
	if c.kind == "room" {
		group = "chatrooms"
	}
	return "/1.2/rtm/" + group + "/" + url.PathEscape(c.id) + "/" + of
}

// walked counts a row of the app's history for its conversation.
func (d *dump) walked(r folder.Row) {
	id := r.ConvOf(d.known)
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.convs[id]
	switch {
	case c == nil || r.Time <= d.compared(c):
	case c.kind == "system":
		if d.toldTally[r.Conv] == nil {
			d.toldTally[r.Conv] = &tally{}
		}
		d.toldTally[r.Conv].add(r.ID)
	default:
		c.walked.add(r.ID)
	}
}

// errNoClass: the app has no such class, so there are no rows.
var errNoClass = errors.New("no such class")

// scan reads a class by objectId, 1,000 rows a request: LeanCloud silently turns a greater limit
// into 100. A cursor is valid for 10 minutes; after that the scan starts again, because
// conditions may not use objectId. A page without a cursor is the last one and may be empty; no
// other page may (storage, traversing a class).
func (d *dump) scan(ctx context.Context, class, step string, took func([]jsontext.Value) error) error {
	query := url.Values{"limit": {strconv.Itoa(api.PageLimit)}}
	for anew := 0; ; {
		answer, err := d.api.Get(ctx, "/1.1/scan/classes/"+class, query)
		no, refused := errors.AsType[*api.Refusal](err)
		switch {
		case refused && query.Has("cursor") && anew < 5:
			anew++
			query.Del("cursor")
			continue
		case refused && !query.Has("cursor") && (no.Status == http.StatusNotFound || no.Code == 101):
			return errNoClass
		case err != nil:
			return err
		}
		rows, err := folder.Elements(answer)
		if err == nil {
			err = took(rows)
		}
		if err == nil && len(rows) > 0 {
			d.ledger.Rows(len(rows))
			err = d.journal.Add(journal.Entry{Step: step, Rows: rows})
		}
		if err != nil {
			return err
		}
		next := folder.Field(answer, "cursor")
		if next == "" {
			return nil
		}
		if next == query.Get("cursor") && len(rows) == 0 {
			return errors.New("the scan answers the same empty page again and again")
		}
		query.Set("cursor", next)
	}
}
