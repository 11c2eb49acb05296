package request

import (
	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// FindMessages is the request of msg.find.
type FindMessages struct {
	ConvID     strict.ID `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	FromClient strict.ID `json:"from_client" en:"only messages that this client sent" zh:"仅该用户发送的消息"`
	Types      []int64   `json:"types" en:"only messages of these types, at most 20" zh:"仅这些类型的消息，最多 20 个"`
	Since      *int64    `json:"since" en:"only messages sent at this moment or later, Unix ms" zh:"仅此刻及之后发送的消息，Unix 毫秒"`
	Until      *int64    `json:"until" en:"only messages sent before this moment, Unix ms" zh:"仅此刻之前发送的消息，Unix 毫秒"`
	AfterSeq   *int64    `json:"after_seq" en:"messages after this seq, oldest first" zh:"该 seq 之后，从旧到新"`
	BeforeSeq  *int64    `json:"before_seq" en:"messages before this seq, newest first; with neither of both: from the newest" zh:"该 seq 之前，从新到旧；两者都省略则从最新开始"`
	Limit      *int64    `json:"limit" en:"1..200, default 50" zh:"1..200，默认 50"`
}

// Query checks the request. Errors: skein.ErrMalformed naming the field.
func (r FindMessages) Query() (q skein.MessageQuery, err error) {
	bySeq, span, err := ListMessages{AfterSeq: r.AfterSeq, BeforeSeq: r.BeforeSeq, Limit: r.Limit}.BySeq()
	if err != nil {
		return q, err
	}
	span.Newest = span.Newest || !bySeq
	q = skein.MessageQuery{SeqRange: span, Sender: string(r.FromClient)}
	if r.FromClient != "" {
		if err := CheckClientID("from_client", r.FromClient, true); err != nil {
			return q, err
		}
	}
	if r.Types != nil && len(r.Types) == 0 {
		return q, skein.Malformed("types", "must not be empty")
	}
	if len(r.Types) > skein.MaxTypes {
		return q, skein.Malformed("types", "at most 20")
	}
	for _, t := range r.Types {
		q.Types = append(q.Types, int(t))
	}
	if q.Since, err = timeOf("since", r.Since); err != nil {
		return q, err
	}
	if r.Until == nil {
		return q, nil
	}
	if q.Until, err = timeOf("until", r.Until); err == nil && q.Until == 0 {
		q.Until = 1 // nothing was sent before
	}
	return q, err
}

// timeOf is a time of a request; absent: zero. It is at most skein.Forever. Errors: skein.ErrMalformed.
func timeOf(field string, ms *int64) (skein.Millis, error) {
	switch {
	case ms == nil:
		return 0, nil
	case *ms < 0:
		return 0, skein.Malformed(field, "must be at least 0")
	}
	return min(skein.Millis(*ms), skein.Forever), nil
}
