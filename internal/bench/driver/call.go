package driver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/testclient"
)

// SetupConnections is how many calls are under way at the same time while nothing is measured.
const SetupConnections = 64

// Call makes one REST call as the app's backend. It repeats a call that the server refuses for its
// rate, or because it is overloaded.
func (h *Host) Call(ctx context.Context, method, path string, body, into any) error {
	for {
		err := h.CallOnce(ctx, method, path, body, into)
		var refused *testclient.Refusal
		if !errors.As(err, &refused) || refused.Code != codeTooMany && refused.Code != codeUnavailable {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// CallOnce is Call without a second try.
func (h *Host) CallOnce(ctx context.Context, method, path string, body, into any) error {
	node := h.At(int(h.calls.Add(1))) // one after another
	return testclient.App{Addr: node.Addr, ID: h.App, Key: h.Key, Token: h.bearer, HTTP: h.http}.Call(ctx, method, path, body, into)
}

// StoredMessage is a message of a history as the server shows it.
type StoredMessage struct {
	MsgID string `json:"msg_id"`
	Seq   int64  `json:"seq"`
	Text  string `json:"text"`
}

// Entry is the message as the ledger compares it.
func (m StoredMessage) Entry() ledger.Entry {
	who, n, _ := parseText([]byte(m.Text)) // a text of somebody else has no sender and no number
	return ledger.Entry{Seq: m.Seq, Message: ledger.Message{Sender: who, N: n, ID: ledger.Hash([]byte(m.MsgID))}}
}

// History is all of a conversation past a seq, oldest first.
func (h *Host) History(ctx context.Context, conv string, from int64) ([]ledger.Entry, error) {
	var entries []ledger.Entry
	for {
		var page struct {
			Data    []StoredMessage `json:"data"`
			HasMore bool            `json:"has_more"`
		}
		path := fmt.Sprintf("/im/conversations/%s/message?after_seq=%d&limit=200", conv, from)
		if err := h.Call(ctx, http.MethodGet, path, nil, &page); err != nil {
			return nil, err
		}
		for _, m := range page.Data {
			entries = append(entries, m.Entry())
			from = m.Seq
		}
		if !page.HasMore || len(page.Data) == 0 {
			return entries, nil
		}
	}
}
