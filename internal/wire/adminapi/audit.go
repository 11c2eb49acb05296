package adminapi

import (
	"encoding/hex"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// Bounds of audit.list.
const (
	DefaultAuditLimit = 50
	MaxAuditLimit     = 500
)

// ListAudit is the request of audit.list.
type ListAudit struct {
	AppID     string `json:"app_id" en:"only entries about this app; an operator with roles in apps alone must name one" zh:"只返回此应用的记录；仅有应用角色的管理员必须指定"`
	Operator  string `json:"operator_name" en:"only what this operator did" zh:"只返回此管理员的操作"`
	Op        string `json:"op" en:"only this op, such as operator.create" zh:"只返回此操作，例如 operator.create"`
	Target    string `json:"target" en:"only what was done to this target" zh:"只返回针对此目标的操作"`
	From      *int64 `json:"from" en:"only entries since this time, Unix ms" zh:"起始时间（含），Unix 毫秒"`
	Until     *int64 `json:"until" en:"only entries before this time, Unix ms" zh:"截止时间（不含），Unix 毫秒"`
	BeforeSeq *int64 `json:"before_seq" en:"only entries with a smaller seq: next_before_seq of the previous page" zh:"只返回 seq 更小的记录：上一页的 next_before_seq"`
	Limit     *int64 `json:"limit" en:"1..500; absent: 50" zh:"1..500；省略为 50"`
}

// InApp is the app in which the caller needs its role; empty: the installation.
func (r ListAudit) InApp() string { return r.AppID }

// Query checks the request. Errors: skein.ErrMalformed.
func (r ListAudit) Query() (q skein.AuditQuery, err error) {
	q = skein.AuditQuery{App: r.AppID, Operator: r.Operator, Op: r.Op, Target: r.Target, Limit: DefaultAuditLimit}
	if r.AppID != "" && !skein.ValidAppID(r.AppID) {
		return q, skein.Malformed("app_id", "must be 1 to 64 of A-Z a-z 0-9 - _")
	}
	for _, text := range [...]struct{ field, value string }{{"operator_name", r.Operator}, {"op", r.Op}, {"target", r.Target}} {
		if len(text.value) > 256 {
			return q, skein.Malformed(text.field, "at most 256 bytes")
		}
	}
	for _, n := range [...]struct {
		field string
		value *int64
		into  *skein.Millis
	}{{"from", r.From, &q.From}, {"until", r.Until, &q.Until}} {
		if n.value == nil {
			continue
		}
		if *n.value < 1 || *n.value > int64(skein.Forever) {
			return q, skein.Malformed(n.field, "out of range")
		}
		*n.into = skein.Millis(*n.value)
	}
	if r.BeforeSeq != nil {
		if q.Before = *r.BeforeSeq; q.Before < 1 {
			return q, skein.Malformed("before_seq", "must be at least 1")
		}
	}
	if r.Limit != nil {
		if *r.Limit < 1 || *r.Limit > MaxAuditLimit {
			return q, skein.Malformed("limit", "must be 1 to 500")
		}
		q.Limit = int(*r.Limit)
	}
	return q, nil
}

// Audit is the answer of audit.list.
type Audit struct {
	Data          []Deed `json:"data" en:"the entries, newest first" zh:"记录，由新到旧"`
	NextBeforeSeq *int64 `json:"next_before_seq" en:"send it as before_seq to get the next page; null at the end" zh:"作为 before_seq 取下一页；到末尾为 null"`
}

// Deed is one entry of the audit log as answered.
type Deed struct {
	Seq       int64          `json:"seq" en:"number of the entry, 1, 2, 3 … in the whole installation" zh:"序号，在整个安装内连续递增"`
	At        int64          `json:"at" en:"Unix ms" zh:"时间，Unix 毫秒"`
	Operator  string         `json:"operator_name" en:"who did it; cli:USER is a command on a machine of the installation" zh:"操作者；cli:USER 为在安装机器上执行的命令"`
	TokenName *string        `json:"token_name" en:"the token that was shown; null: none" zh:"所用令牌的名称；无则为 null"`
	Addr      *string        `json:"addr" en:"address from which the call came; null: it was no call" zh:"调用来源地址；非网络调用为 null"`
	RequestID *string        `json:"request_id" en:"X-Request-Id of the call; null: it was no call" zh:"调用的 X-Request-Id；非网络调用为 null"`
	Op        string         `json:"op" en:"what was done, such as operator.create" zh:"操作，例如 operator.create"`
	AppID     *string        `json:"app_id" en:"the app that it is about; null: none" zh:"相关应用；无则为 null"`
	Target    *string        `json:"target" en:"the operator, token or key that it is about; null: none" zh:"相关的管理员、令牌或密钥；无则为 null"`
	Before    jsontext.Value `json:"before" en:"what changed, as it was before; null: it did not exist" zh:"变更前的内容；原先不存在为 null"`
	After     jsontext.Value `json:"after" en:"what changed, as it was afterwards; null: it was removed" zh:"变更后的内容；已移除为 null"`
	Hash      string         `json:"hash" en:"64 hexadecimal digits: SHA-256 of the entry and of the hash of the entry before it" zh:"64 位十六进制：本记录与上一条记录哈希的 SHA-256"`
}

// AuditOf writes entries; limit is that of the query.
func AuditOf(deeds []skein.Deed, limit int) Audit {
	a := Audit{Data: make([]Deed, 0, len(deeds))}
	for _, d := range deeds {
		a.Data = append(a.Data, Deed{
			Seq: d.Seq, At: int64(d.At), Operator: d.Operator, TokenName: textOrNull(d.Token), Addr: textOrNull(d.Addr),
			RequestID: textOrNull(d.RequestID), Op: d.Op, AppID: textOrNull(d.App), Target: textOrNull(d.Target),
			Before: valueOrNull(d.Before), After: valueOrNull(d.After), Hash: hex.EncodeToString(d.Hash[:]),
		})
	}
	if len(deeds) == limit && deeds[limit-1].Seq > 1 {
		a.NextBeforeSeq = &deeds[limit-1].Seq
	}
	return a
}

func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func valueOrNull(b []byte) jsontext.Value {
	if b == nil {
		return jsontext.Value("null")
	}
	return b
}
