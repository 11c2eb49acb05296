package bench

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/bench/load"
	"github.com/skein-im/skein/internal/bench/report"
)

// connections is how many calls are under way at the same time. With one alone, waking up would
// be most of the cost.
const connections = 64

// rest sends messages over keep-alive connections into one conversation.
func rest(ctx context.Context, r *load.Run) error {
	clients, err := r.Users(ctx, "r", 2)
	if err != nil {
		return err
	}
	id, err := r.Conversation(ctx, load.TypePair, clients)
	if err != nil {
		return err
	}
	all, end, err := r.Host.KeepAlives(ctx, r.ClientsOr(connections))
	if err != nil {
		return err
	}
	defer end()
	var faults ledger.Faults
	conv := ledger.NewConversation(id, 0, &faults)
	b := r.Body(conv, r.Padding())
	head := r.Host.Head(http.MethodPost, "/im/conversations/"+id+"/message") + "Content-Type: application/json\r\nContent-Length: "
	sent := make([]uint32, len(all))
	d := r.Lasting(10 * time.Second)
	q := r.Quota(d)
	m, err := r.Measure(ctx, r.Host, "", d, func() error {
		return load.Together(ctx, q, all, func(i int, k *driver.KeepAlive) error {
			payload := b.Append([]byte(`{"from_client":"`+clients[0]+`",`), uint32(i), sent[i])
			payload = append(payload, '}')
			k.Out = strconv.AppendInt(append(k.Out[:0], head...), int64(len(payload)), 10)
			k.Out = append(append(k.Out, "\r\n\r\n"...), payload...)
			answer, err := k.Do()
			if err != nil {
				return err
			}
			conv.Answered(driver.Number(answer, `"seq":`), ledger.Message{Sender: uint32(i), N: sent[i], ID: ledger.Hash(driver.Text(answer, `"msg_id":"`))})
			sent[i]++
			return nil
		})
	})
	if err != nil {
		return err
	}
	if err := r.Stored(ctx, []*ledger.Conversation{conv}); err != nil {
		return err
	}
	n := q.Taken.Load()
	values := m.Values("message", "messages", n, r.ForTheUsual(report.AtMost(85)), r.ForTheUsual(report.AtLeast(13_000)))
	checked := fmt.Sprintf("each of %d answered messages is in the history once and in its place", n)
	return r.Report("", fmt.Sprintf("sends over %d keep-alive connections", len(all)), values, checked, &faults)
}
