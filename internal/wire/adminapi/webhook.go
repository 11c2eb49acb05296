package adminapi

import (
	"cmp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// Bounds of the lists of webhooks.
const (
	DefaultWebhookLimit = 50
	MaxWebhookLimit     = 200
)

// OfApp is what requests about one app have.
type OfApp struct {
	AppID string `json:"app_id" need:"1" en:"the app" zh:"应用 id"`
}

// InApp is the app in which the caller needs its role.
func (r OfApp) InApp() string { return r.AppID }

func (r OfApp) check() error { return CheckApp(r.AppID) }

// WebhookSettings are the settings of an endpoint in a request.
type WebhookSettings struct {
	URL       *string                  `json:"url" en:"needed to create an endpoint; http or https, a public address, or one that --outbound-allow has; at most 2,048 bytes" zh:"创建时必填；http 或 https 地址，须为公网地址或 --outbound-allow 允许的地址；最多 2048 字节"`
	Name      *string                  `json:"name" en:"text of your own, at most 100 bytes" zh:"自定义名称，最多 100 字节"`
	Events    strict.GivenList[string] `json:"events" en:"which events; null or an empty list: all but recipients.offline, receipts.updated, users.online and users.offline, as at first" zh:"订阅的事件；null 或空列表为除 recipients.offline、receipts.updated、users.online、users.offline 外的全部事件，初始亦然"`
	ConvTypes strict.GivenList[int64]  `json:"conv_types" en:"only events about conversations of these types (1 private, 2 temporary, 3 group, 4 chat room) and about none; null or an empty list: all, as at first" zh:"只投递这些类型会话的事件（1 私聊 2 临时 3 群 4 聊天室）及与会话无关的事件；null 或空列表为全部，初始亦然"`
	Rate      *int64                   `json:"rate" en:"calls a second, 1..10000; at first 100" zh:"每秒调用数，1..10000；初始 100"`
	Batch     *int64                   `json:"batch" en:"most events in one call, 1..100; at first 1: the body of a call is the event itself" zh:"每次调用最多的事件数，1..100；初始 1：请求体即事件本身"`
	Ordered   *bool                    `json:"ordered" en:"true: events of a conversation arrive in their order, also if calls fail; at first false" zh:"true：同一会话的事件按序到达，失败时亦然；初始 false"`
	Enabled   *bool                    `json:"enabled" en:"false: nothing is delivered, and the endpoint keeps its place; at first true" zh:"false：停止投递并保留位置；初始 true"`
}

// NewWebhook is the request of webhook.create.
type NewWebhook struct {
	OfApp
	WebhookSettings
}

// UpdateWebhook is the request of webhook.update.
type UpdateWebhook struct {
	OfWebhook
	WebhookSettings

	Skip *bool `json:"skip" en:"true: leave out what happened since the endpoint's place, and go on with what happens from now on" zh:"true：跳过尚未投递的事件，从现在开始"`
}

// OfWebhook names an endpoint.
type OfWebhook struct {
	OfApp

	WebhookID string `json:"webhook_id" need:"1" en:"the endpoint" zh:"端点 id"`
}

// Check checks the names. Errors: skein.ErrMalformed.
func (r OfWebhook) Check() error {
	if r.WebhookID == "" || len(r.WebhookID) > 64 {
		return skein.Malformed("webhook_id", "must be 1 to 64 of A-Z a-z 0-9 - _")
	}
	return r.check()
}

// Check checks the request. Errors: skein.ErrMalformed.
func (r NewWebhook) Check() error {
	if r.URL == nil {
		return skein.About(skein.ErrMissing, "url")
	}
	return r.check()
}

// Apply checks the settings that are there and sets them. Errors: skein.ErrMalformed.
func (r WebhookSettings) Apply(s *skein.WebhookSettings, enabled *bool) error {
	events, unknown := distinct("events", r.Events.List, "not an event of webhooks", func(e string) (string, bool) {
		return e, slices.Contains(skein.WebhookEvents, e)
	})
	types, wrong := distinct("conv_types", r.ConvTypes.List, "must be 1 to 4", func(n int64) (skein.ConvType, bool) {
		return skein.ConvType(n), n >= 1 && n <= 4
	})
	if err := cmp.Or(r.checkName(), unknown, wrong, r.checkNumbers()); err != nil {
		return err
	}
	if r.Events.Given {
		s.Events = events
	}
	if r.ConvTypes.Given {
		s.ConvTypes = types
	}
	setNumber(&s.Rate, r.Rate)
	setNumber(&s.Batch, r.Batch)
	set(&s.URL, r.URL)
	set(&s.Name, r.Name)
	set(&s.Ordered, r.Ordered)
	set(enabled, r.Enabled)
	return nil
}

func (r WebhookSettings) checkName() error {
	if r.Name != nil && (len(*r.Name) > skein.MaxWebhookName || !utf8.ValidString(*r.Name)) {
		return skein.Malformed("name", "at most 100 bytes")
	}
	return nil
}

func (r WebhookSettings) checkNumbers() error {
	if r.Rate != nil && (*r.Rate < 1 || *r.Rate > skein.MaxWebhookRate) {
		return skein.Malformed("rate", "must be 1 to 10000")
	}
	if r.Batch != nil && (*r.Batch < 1 || *r.Batch > skein.MaxWebhookBatch) {
		return skein.Malformed("batch", "must be 1 to 100")
	}
	return nil
}

// distinct are the values of a list, each once; nil: the list is empty. Errors: skein.ErrMalformed, with the detail, about a value that is
// not allowed.
func distinct[T, V comparable](field string, list []T, detail string, value func(T) (v V, allowed bool)) (all []V, err error) {
	for _, given := range list {
		v, allowed := value(given)
		if !allowed {
			return nil, skein.Malformed(field, detail)
		}
		if !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all, nil
}

// set sets what is given.
func set[T any](to, given *T) {
	if given != nil {
		*to = *given
	}
}

func setNumber(to *int, given *int64) {
	if given != nil {
		*to = int(*given)
	}
}

// RotateWebhook is the request of webhook.rotate.
type RotateWebhook struct {
	OfWebhook

	Grace *int64 `json:"grace" en:"seconds for which calls carry signatures of both secrets, 0 to 2592000; absent: 1 day" zh:"新旧密钥同时签名的秒数，0 至 2592000；省略为 1 天"`
}

// GraceTime checks the time. Errors: skein.ErrMalformed.
func (r RotateWebhook) GraceTime() (time.Duration, error) { return GraceTime(r.Grace) }

// ListAttempts is the request of webhook.attempts.
type ListAttempts struct {
	OfWebhook

	BeforeSeq *int64 `json:"before_seq" en:"only lines with a smaller seq: next_before_seq of the previous page" zh:"只返回 seq 更小的记录：上一页的 next_before_seq"`
	Limit     *int64 `json:"limit" en:"1..200; absent: 50" zh:"1..200；省略为 50"`
}

// ListFailed is the request of webhook.failed.
type ListFailed struct {
	OfWebhook

	Dead     *strict.Flag `json:"dead" en:"1: dead letters, whose attempts are used up (default); 0: calls that wait for the next attempt" zh:"1 为已放弃的死信（默认）；0 为等待重试的调用"`
	AfterSeq *int64       `json:"after_seq" en:"only those with a greater seq: next_after_seq of the previous page" zh:"只返回 seq 更大的：上一页的 next_after_seq"`
	Limit    *int64       `json:"limit" en:"1..200; absent: 50" zh:"1..200；省略为 50"`
}

// Page checks where a list begins and how long it is. Errors: skein.ErrMalformed.
func Page(field string, at, limit *int64) (from int64, n int, err error) {
	n = DefaultWebhookLimit
	if at != nil {
		if from = *at; from < 1 {
			return 0, 0, skein.Malformed(field, "must be at least 1")
		}
	}
	if limit != nil {
		if *limit < 1 || *limit > MaxWebhookLimit {
			return 0, 0, skein.Malformed("limit", "must be 1 to 200")
		}
		n = int(*limit)
	}
	return from, n, nil
}

// ReplayWebhook is the request of webhook.replay.
type ReplayWebhook struct {
	OfWebhook

	FromSeq  *int64 `json:"from_seq" en:"seq of the first dead letter; absent: the oldest" zh:"首条死信的 seq；省略为最旧"`
	UntilSeq *int64 `json:"until_seq" en:"seq of the last one; absent: the newest" zh:"末条死信的 seq；省略为最新"`
	Since    *int64 `json:"since" en:"only those that were given up since this time, Unix ms" zh:"只重放此时间之后放弃的，Unix 毫秒"`
}

// Check checks the span. Errors: skein.ErrMalformed.
func (r ReplayWebhook) Check() error {
	for _, n := range [...]struct {
		field string
		value *int64
	}{{"from_seq", r.FromSeq}, {"until_seq", r.UntilSeq}, {"since", r.Since}} {
		if n.value != nil && (*n.value < 1 || *n.value > int64(skein.Forever)) {
			return skein.Malformed(n.field, "out of range")
		}
	}
	return r.OfWebhook.Check()
}

// Webhook is one endpoint as answered.
type Webhook struct {
	WebhookID   string   `json:"webhook_id" en:"the endpoint" zh:"端点 id"`
	AppID       string   `json:"app_id" en:"the app" zh:"应用 id"`
	URL         string   `json:"url" en:"where calls go" zh:"调用地址"`
	Name        string   `json:"name" en:"text of your own" zh:"自定义名称"`
	Events      []string `json:"events" en:"which events; empty: all but recipients.offline, receipts.updated, users.online and users.offline" zh:"订阅的事件；空为除 recipients.offline、receipts.updated、users.online、users.offline 外的全部"`
	ConvTypes   []int    `json:"conv_types" en:"types of conversations; empty: all" zh:"会话类型；空为全部"`
	Rate        int      `json:"rate" en:"calls a second" zh:"每秒调用数"`
	Batch       int      `json:"batch" en:"most events in one call" zh:"每次调用最多的事件数"`
	Ordered     bool     `json:"ordered" en:"whether events of a conversation arrive in order" zh:"同一会话的事件是否按序到达"`
	Enabled     bool     `json:"enabled" en:"whether events are delivered" zh:"是否投递"`
	Reason      *string  `json:"disabled_reason" en:"why the server disabled it: gone (it answered 410), failing (every call failed for 75 hours), dead_letters (it has 10,000); null: it did not" zh:"被服务器停用的原因：gone（返回 410）、failing（75 小时内全部失败）、dead_letters（死信达 10000）；否则为 null"`
	FailingFrom *int64   `json:"failing_since" en:"since when every call failed, Unix ms; null: the last one did not" zh:"从何时起调用全部失败，Unix 毫秒；最近一次成功为 null"`
	DeadLetters int      `json:"dead_letters" en:"calls that were given up" zh:"死信数量"`
	OldSecret   *int64   `json:"old_secret_expires" en:"until when calls carry a signature of the older secret too, Unix ms; null: they do not" zh:"旧密钥同时签名的截止时间，Unix 毫秒；无则为 null"`
	Created     int64    `json:"created" en:"Unix ms" zh:"创建时间，Unix 毫秒"`
}

// Webhooks is the answer of webhook.list.
type Webhooks struct {
	Data []Webhook `json:"data" en:"the endpoints, oldest first; at most 20" zh:"端点，按创建先后；最多 20 个"`
}

// WebhookSecret is an endpoint with a new secret.
type WebhookSecret struct {
	Webhook

	Secret string `json:"secret" en:"whsec_…: verifies the signatures; it is not shown again" zh:"whsec_…：用于验证签名；不再显示"`
}

// HookEvent names an event that was delivered.
type HookEvent struct {
	ID   string `json:"id" en:"of the event" zh:"事件 id"`
	Type string `json:"type" en:"what happened" zh:"事件类型"`
}

// Attempt is one line of the log of an endpoint.
type Attempt struct {
	Seq       int64       `json:"seq" en:"number of the line; 0: of webhook.test" zh:"序号；webhook.test 为 0"`
	At        int64       `json:"at" en:"Unix ms" zh:"时间，Unix 毫秒"`
	ID        string      `json:"id" en:"the header webhook-id" zh:"webhook-id 头"`
	Attempt   int         `json:"attempt" en:"1: the first" zh:"第几次尝试，从 1 起"`
	URL       string      `json:"url" en:"where the call went" zh:"调用地址"`
	Events    []HookEvent `json:"events" en:"what it delivered" zh:"投递的事件"`
	Bytes     int         `json:"bytes" en:"length of the request's body" zh:"请求体字节数"`
	Status    *int        `json:"status" en:"of the answer; null: none came" zh:"返回的状态码；无返回为 null"`
	Millis    int64       `json:"millis" en:"how long the call took" zh:"耗时，毫秒"`
	Answer    string      `json:"answer" en:"the first 4,096 bytes of the answer's body" zh:"返回体的前 4096 字节"`
	Error     *string     `json:"error" en:"why it failed; null: it did not" zh:"失败原因；成功为 null"`
	Delivered bool        `json:"delivered" en:"whether the endpoint took it" zh:"是否投递成功"`
}

// Attempts is the answer of webhook.attempts.
type Attempts struct {
	Data          []Attempt `json:"data" en:"the lines, newest first" zh:"记录，由新到旧"`
	NextBeforeSeq *int64    `json:"next_before_seq" en:"send it as before_seq to get the next page; null at the end" zh:"作为 before_seq 取下一页；到末尾为 null"`
}

// Failed is a failed call.
type Failed struct {
	Seq      int64   `json:"seq" en:"number of the call, in the order in which they failed" zh:"序号，按失败先后"`
	ID       string  `json:"id" en:"the header webhook-id" zh:"webhook-id 头"`
	Events   int     `json:"events" en:"how many things that happened it tells" zh:"包含的事件数"`
	ConvID   *string `json:"conv_id" en:"the conversation of the first; null: none" zh:"首个事件的会话；无则为 null"`
	Attempts int     `json:"attempts" en:"how often it was tried; 0: it waits behind another one of its conversation, or was replayed" zh:"已尝试次数；0 为排在同会话的其他调用之后或刚被重放"`
	First    int64   `json:"first" en:"the first attempt, Unix ms" zh:"首次尝试，Unix 毫秒"`
	Next     *int64  `json:"next" en:"the next attempt, Unix ms; null: a dead letter" zh:"下次尝试，Unix 毫秒；死信为 null"`
	GivenUp  *int64  `json:"given_up" en:"when it became a dead letter, Unix ms; null: it is not" zh:"成为死信的时间，Unix 毫秒；否则为 null"`
	Status   *int    `json:"status" en:"of the last answer; null: none came" zh:"最近的状态码；无返回为 null"`
	Error    *string `json:"error" en:"why the last attempt failed; null: none was made" zh:"最近失败的原因；尚未尝试为 null"`
}

// FailedCalls is the answer of webhook.failed.
type FailedCalls struct {
	Data         []Failed `json:"data" en:"the calls, oldest first" zh:"调用，由旧到新"`
	NextAfterSeq *int64   `json:"next_after_seq" en:"send it as after_seq to get the next page; null at the end" zh:"作为 after_seq 取下一页；到末尾为 null"`
}

// Replayed is the answer of webhook.replay.
type Replayed struct {
	Replayed int  `json:"replayed" en:"dead letters that are due now; at most 1,000 in one call" zh:"已重新安排的死信数；每次最多 1000"`
	More     bool `json:"more" en:"whether to call again" zh:"是否还有，需再次调用"`
}
