package bench

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/bench/load"
	"github.com/skein-im/skein/internal/bench/report"
)

const (
	convsEach   = 50 // conversations of a client, and clients of a conversation
	changedEach = 3  // of them have something new
	newEach     = 2  // messages in each of those
)

// circle are clients who share their conversations.
type circle struct {
	clients []string
	cursors []string               // of each client, before anything was said
	convs   []string               // convsEach
	changed []*ledger.Conversation // of convs
}

// synchronise has clients that were offline come back at once. Each logs in, asks what is new and
// fetches it.
func synchronise(ctx context.Context, r *load.Run) error {
	const usual = 10_000
	circles, err := makeCircles(ctx, r, r.ClientsOr(usual))
	if err != nil {
		return err
	}
	var faults ledger.Faults
	padding := r.Padding()
	if err := driver.Parallel(ctx, len(circles), driver.SetupConnections, func(ctx context.Context, i int) error {
		return sayIn(ctx, r, circles[i], &faults, padding)
	}); err != nil {
		return err
	}
	var back []returning
	var convs []*ledger.Conversation
	for _, c := range circles {
		convs = append(convs, c.changed...)
		for i := range c.clients {
			back = append(back, returning{c, i})
		}
	}
	if err := r.Stored(ctx, convs); err != nil {
		return err
	}
	took := load.NewLatencies()
	var got atomic.Int64
	m, err := r.Measure(ctx, r.Host, "", driver.MaxProfile, func() error {
		return driver.Parallel(ctx, len(back), storming, func(ctx context.Context, i int) error {
			start := time.Now()
			n, err := back[i].sync(ctx, r.Host.At(i), &faults)
			took.Record(time.Since(start))
			got.Add(int64(n))
			return err
		})
	})
	if err != nil {
		return err
	}
	// The target is 15 s of one core for 10,000 clients.
	values := append(m.Values("sync", "syncs", int64(len(back)), r.ForTheUsual(report.AtMost(1500)), nil), took.Values("connect, login, sync", nil)...)
	about := fmt.Sprintf("%d clients with %d conversations come back, %d of them changed, %d at a time", len(back), convsEach, changedEach, min(len(back), storming))
	return r.Report("", about, values, fmt.Sprintf("each client was told of its %d changes alone and got each of %d messages once and in order", changedEach, got.Load()), &faults)
}

// circles makes n clients, their conversations, and lets each sync once.
func makeCircles(ctx context.Context, r *load.Run, n int) ([]*circle, error) {
	clients, err := r.Users(ctx, "y", max(2, n))
	if err != nil {
		return nil, err
	}
	var circles []*circle
	for len(clients) > 0 {
		size := min(convsEach, len(clients))
		if left := len(clients) - size; left == 1 {
			size++ // a client alone would have no one to talk to
		}
		circles = append(circles, &circle{clients: clients[:size], cursors: make([]string, size), convs: make([]string, convsEach)})
		clients = clients[size:]
	}
	if err := driver.Parallel(ctx, len(circles)*convsEach, driver.SetupConnections, func(ctx context.Context, i int) error {
		c := circles[i/convsEach]
		var err error
		c.convs[i%convsEach], err = r.Conversation(ctx, load.TypeGroup, c.clients)
		return err
	}); err != nil {
		return nil, err
	}
	return circles, driver.Parallel(ctx, len(circles), driver.SetupConnections, func(ctx context.Context, i int) error {
		return firstSyncs(ctx, r, circles[i])
	})
}

func firstSyncs(ctx context.Context, r *load.Run, c *circle) error {
	for i, client := range c.clients {
		s, err := r.Host.Join(ctx, client)
		if err != nil {
			return err
		}
		page, err := syncFrom(s, "")
		s.Close()
		if err != nil {
			return err
		}
		if len(page.Conversations) != convsEach {
			return fmt.Errorf("first sync of %s: %d conversations, want %d", client, len(page.Conversations), convsEach)
		}
		c.cursors[i] = page.NextCursor
	}
	return nil
}

// sayIn sends messages in some of the circle's conversations.
func sayIn(ctx context.Context, r *load.Run, c *circle, faults *ledger.Faults, padding string) error {
	for _, id := range c.convs[:changedEach] {
		conv := ledger.NewConversation(id, 0, faults)
		c.changed = append(c.changed, conv)
		for n := range uint32(newEach) {
			var answer driver.StoredMessage
			message := map[string]any{"from_client": c.clients[0], "type": -1, "text": string(driver.AppendText(nil, 0, n, padding))}
			if err := r.Host.Call(ctx, http.MethodPost, "/im/conversations/"+id+"/message", message, &answer); err != nil {
				return err
			}
			conv.Answered(answer.Seq, ledger.Message{N: n, ID: ledger.Hash([]byte(answer.MsgID))})
		}
	}
	return nil
}

// syncPage has the fields of the answer to sync that are read.
type syncPage struct {
	Conversations []struct {
		ConvID string `json:"conv_id"`
	} `json:"conversations"`
	NextCursor    string `json:"next_cursor"`
	Done          bool   `json:"done"`
	ResetRequired bool   `json:"reset_required"`
}

// sync asks what is new since the cursor; empty: everything.
func syncFrom(s *driver.Socket, cursor string) (page syncPage, err error) {
	command := `{"type":"sync","data":{"limit":200`
	if cursor != "" {
		command += `,"cursor":"` + cursor + `"`
	}
	err = s.CallFor("sync", command+`}}`, &page)
	if err == nil && (!page.Done || page.ResetRequired) {
		err = fmt.Errorf("sync: done %v, reset_required %v", page.Done, page.ResetRequired)
	}
	return page, err
}

// messageRange has the fields of an item of the answer to msg.ranges that are read.
type messageRange struct {
	ConvID  string                 `json:"conv_id"`
	Data    []driver.StoredMessage `json:"data"`
	HasMore bool                   `json:"has_more"`
}

// returning is a client of a circle that comes back.
type returning struct {
	circle *circle
	client int
}

// sync connects, logs in, syncs and fetches. It returns how many messages it got.
func (b returning) sync(ctx context.Context, h *driver.Host, faults *ledger.Faults) (messages int, err error) {
	c, name := b.circle, b.circle.clients[b.client]
	s, err := h.Join(ctx, name)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	page, err := syncFrom(s, c.cursors[b.client])
	if err != nil {
		return 0, err
	}
	if len(page.Conversations) != changedEach {
		faults.Addf("%s: sync tells of %d conversations, %d have changed", name, len(page.Conversations), changedEach)
	}
	command := []byte(`{"type":"msg.ranges","data":{"ranges":[`)
	for i, conv := range page.Conversations {
		if i > 0 {
			command = append(command, ',')
		}
		command = append(command, `{"after_seq":0,"conv_id":`...)
		command = append(strconv.AppendQuote(command, conv.ConvID), '}')
	}
	var ranges []messageRange
	if err := s.CallFor("msg.ranges", string(command)+`]}}`, &ranges); err != nil {
		return 0, err
	}
	for _, conv := range c.changed {
		r := ledger.NewReceiver(name, conv, ledger.NoSender)
		for _, got := range ranges {
			if got.ConvID != conv.ID() {
				continue
			}
			for _, m := range got.Data {
				r.Got(m.Seq, m.Entry().Message)
				messages++
			}
		}
		r.Done()
	}
	return messages, nil
}
