package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/testclient"
)

// setupConnections is how many calls are made at the same time while nothing is
// measured.
const setupConnections = 64

// call makes one REST call as the app's backend. A call that came too soon is made
// again.
func (h *host) call(ctx context.Context, method, path string, body, into any) error {
	for {
		err := h.callOnce(ctx, method, path, body, into)
		var refused *testclient.Refusal
		if !errors.As(err, &refused) || refused.Code != codeTooMany {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

func (h *host) callOnce(ctx context.Context, method, path string, body, into any) error {
	return testclient.App{Addr: h.addr, ID: h.app, Key: h.key, Token: h.bearer, HTTP: h.http}.Call(ctx, method, path, body, into)
}

// made is what a run has put onto a server, so that it can be taken off a target.
type made struct {
	mu            sync.Mutex
	users         []string
	conversations []string
}

// users registers n clients.
func (r *run) users(ctx context.Context, prefix string, n int) ([]string, error) {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = r.tag + prefix + strconv.Itoa(i)
	}
	r.made.mu.Lock()
	r.made.users = append(r.made.users, ids...)
	r.made.mu.Unlock()
	return ids, parallel(ctx, n, setupConnections, func(ctx context.Context, i int) error {
		return r.host.call(ctx, http.MethodPost, "/im/users", map[string]any{"client_id": ids[i]}, nil)
	})
}

// Conversation types.
const (
	typePair  = 1
	typeGroup = 3
	typeRoom  = 4
)

// perCall is how many members a call may name.
const perCall = 500

// conversation makes one of the clients; the first is its creator. Safe for
// concurrent use.
func (r *run) conversation(ctx context.Context, convType int, clients []string) (id string, err error) {
	first := min(len(clients), perCall)
	var answer struct {
		ConvID string `json:"conv_id"`
	}
	err = r.host.call(ctx, http.MethodPost, "/im/conversations",
		map[string]any{"client_id": clients[0], "to_client_ids": clients[1:first], "conv_type": convType}, &answer)
	if err != nil {
		return "", err
	}
	r.made.mu.Lock()
	r.made.conversations = append(r.made.conversations, answer.ConvID)
	r.made.mu.Unlock()
	for at := first; at < len(clients); at += perCall {
		more := clients[at:min(at+perCall, len(clients))]
		if err := r.host.call(ctx, http.MethodPost, "/im/conversations/"+answer.ConvID+"/members", map[string]any{"client_ids": more}, nil); err != nil {
			return "", err
		}
	}
	return answer.ConvID, nil
}

// cleanUp takes off a target what the run has made. What cannot be is left: the
// results are worth more.
func (r *run) cleanUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	remove := func(prefix string, ids []string) {
		_ = parallel(ctx, len(ids), setupConnections, func(ctx context.Context, i int) error {
			_ = r.host.call(ctx, http.MethodDelete, prefix+ids[i], nil, nil)
			return nil
		})
	}
	remove("/im/conversations/", r.made.conversations)
	remove("/im/users/", r.made.users)
}

// stored holds the histories of the conversations against what was answered.
func (r *run) stored(ctx context.Context, convs []*ledger.Conversation) error {
	return parallel(ctx, len(convs), setupConnections, func(ctx context.Context, i int) error {
		entries, err := r.host.history(ctx, convs[i].ID(), convs[i].From())
		if err == nil {
			convs[i].Stored(entries)
		}
		return err
	})
}

// stored is a message of a history as the server shows it.
type storedMessage struct {
	MsgID string `json:"msg_id"`
	Seq   int64  `json:"seq"`
	Text  string `json:"text"`
}

func (m storedMessage) entry() ledger.Entry {
	who, n, _ := parseText([]byte(m.Text)) // another's text is no message of ours, and told as such
	return ledger.Entry{Seq: m.Seq, Message: ledger.Message{Sender: who, N: n, ID: ledger.Hash([]byte(m.MsgID))}}
}

// history is all of a conversation past a seq, oldest first.
func (h *host) history(ctx context.Context, conv string, from int64) ([]ledger.Entry, error) {
	var entries []ledger.Entry
	for {
		var page struct {
			Data    []storedMessage `json:"data"`
			HasMore bool            `json:"has_more"`
		}
		path := fmt.Sprintf("/im/conversations/%s/message?after_seq=%d&limit=200", conv, from)
		if err := h.call(ctx, http.MethodGet, path, nil, &page); err != nil {
			return nil, err
		}
		for _, m := range page.Data {
			entries = append(entries, m.entry())
			from = m.Seq
		}
		if !page.HasMore || len(page.Data) == 0 {
			return entries, nil
		}
	}
}
