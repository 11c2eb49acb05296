package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/bench/report"
)

// connections is how many ask at the same time: one alone would mostly measure what
// it costs to wake up for it.
const connections = 64

// keepAlive is one HTTP connection of the generator, which must not cost more than
// the server it shares the machine with.
type keepAlive struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte
	body bytes.Buffer
}

// keepAlives opens some; they end with ctx, or with the call of end.
func (h *host) keepAlives(ctx context.Context, n int) (all []*keepAlive, end func(), err error) {
	closing := func() {
		for _, k := range all {
			_ = k.conn.Close() // nobody waits for what is lost with it
		}
	}
	for range n {
		conn, err := h.from.dial(ctx, "tcp", h.addr)
		if err != nil {
			closing()
			return nil, nil, err
		}
		all = append(all, &keepAlive{conn: conn, in: bufio.NewReader(conn)})
	}
	stop := context.AfterFunc(ctx, closing)
	return all, func() { stop(); closing() }, nil
}

// head begins a request up to its own headers.
func (h *host) head(method, path string) string {
	head := method + " " + path + " HTTP/1.1\r\nHost: " + h.addr + "\r\napp-id: " + h.app + "\r\n"
	if h.key != "" {
		head += "app-key: " + h.key + "\r\n"
	}
	return head
}

// do sends what is in out and reads the answer; its body is good until the next call.
func (k *keepAlive) do() ([]byte, error) {
	if _, err := k.conn.Write(k.out); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(k.in, nil)
	if err != nil {
		return nil, err
	}
	k.body.Reset()
	_, err = io.Copy(&k.body, resp.Body)
	_ = resp.Body.Close() // it was only read
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %s", resp.StatusCode, k.body.Bytes())
	}
	return k.body.Bytes(), err
}

// together lets all connections ask until the quota is over.
func together(ctx context.Context, q *quota, all []*keepAlive, ask func(i int, k *keepAlive) error) error {
	return parallel(ctx, len(all), len(all), func(_ context.Context, i int) error {
		for q.take() {
			if err := ask(i, all[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// rest: msg.send over keep-alive connections, all into one conversation.
func rest(ctx context.Context, r *run) error {
	clients, err := r.users(ctx, "r", 2)
	if err != nil {
		return err
	}
	id, err := r.conversation(ctx, typePair, clients)
	if err != nil {
		return err
	}
	all, end, err := r.host.keepAlives(ctx, r.clients(connections))
	if err != nil {
		return err
	}
	defer end()
	var faults ledger.Faults
	conv := ledger.NewConversation(id, 0, &faults)
	b := r.body(conv, r.padding())
	head := r.host.head(http.MethodPost, "/im/conversations/"+id+"/message") + "Content-Type: application/json\r\nContent-Length: "
	sent := make([]uint32, len(all))
	d := r.lasting(10 * time.Second)
	q := r.quota(d)
	m, err := r.measure(ctx, r.host, "", d, func() error {
		return together(ctx, q, all, func(i int, k *keepAlive) error {
			payload := b.append([]byte(`{"from_client":"`+clients[0]+`",`), uint32(i), sent[i])
			payload = append(payload, '}')
			k.out = strconv.AppendInt(append(k.out[:0], head...), int64(len(payload)), 10)
			k.out = append(append(k.out, "\r\n\r\n"...), payload...)
			answer, err := k.do()
			if err != nil {
				return err
			}
			conv.Answered(number(answer, `"seq":`), ledger.Message{Sender: uint32(i), N: sent[i], ID: ledger.Hash(text(answer, `"msg_id":"`))})
			sent[i]++
			return nil
		})
	})
	if err != nil {
		return err
	}
	if err := r.stored(ctx, []*ledger.Conversation{conv}); err != nil {
		return err
	}
	n := q.taken.Load()
	values := m.values("message", "messages", n, r.forTheUsual(report.AtMost(85)), r.forTheUsual(report.AtLeast(13_000)))
	checked := fmt.Sprintf("each of %d answered messages is in the history once and in its place", n)
	return r.phase("", fmt.Sprintf("sends over %d keep-alive connections", len(all)), values, checked, &faults)
}
