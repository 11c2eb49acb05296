package wire

import (
	"time"

	"github.com/go-json-experiment/json"

	"github.com/skein-im/skein"
)

// HookEvent is what a webhook gets of one event: the body of a call, or an element of a batch.
type HookEvent struct {
	ID    string `json:"id" en:"of the event: the same whenever it is delivered" zh:"事件 id；重复投递时不变"`
	Type  string `json:"type" en:"what happened" zh:"事件类型"`
	Time  string `json:"timestamp" en:"when it happened, ISO 8601" zh:"发生时间，ISO 8601"`
	AppID string `json:"app_id" en:"the app" zh:"应用 id"`
	Data  any    `json:"data" en:"see the event" zh:"见各事件"`
}

// Encode writes the event.
func (e HookEvent) Encode() ([]byte, error) { return json.Marshal(e) }

// AppendHookBatch appends the body of a call with several events, which Encode wrote.
func AppendHookBatch(dst []byte, time string, events [][]byte) []byte {
	dst = append(append(append(dst, `{"type":"batch","timestamp":"`...), time...), `","data":[`...)
	for i, e := range events {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, e...)
	}
	return append(dst, "]}"...)
}

// HookTime is a time as Standard Webhooks has it.
func HookTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// HookConversation is the data of a webhook's events about a conversation and its members.
type HookConversation struct {
	ConvID    skein.ID      `json:"conv_id" en:"the conversation" zh:"会话 id"`
	Time      int64         `json:"time" en:"Unix ms" zh:"Unix 毫秒"`
	ClientIDs []string      `json:"client_ids" en:"the members whom the event is about, at most 500; more take several events" zh:"事件所涉成员，最多 500 个；更多则分多个事件"`
	Conv      *Conversation `json:"conversation" en:"the conversation as it is now; null: deleted" zh:"会话当前内容；已删除为 null"`
}

// HookUser is the data of a webhook's events about a user.
type HookUser struct {
	ClientID string `json:"client_id" en:"the user" zh:"用户 id"`
	Time     int64  `json:"time" en:"Unix ms" zh:"Unix 毫秒"`
	User     *User  `json:"user" en:"the user as it is now; null: deleted" zh:"用户当前内容；已删除为 null"`
}

// OfflineRecipients is the data of recipients.offline.
type OfflineRecipients struct {
	Message   Message  `json:"message" en:"the message" zh:"消息"`
	ClientIDs []string `json:"client_ids" en:"members without a session when the event was made, at most 500" zh:"生成事件时没有在线连接的成员，最多 500 个"`
	More      bool     `json:"more" en:"whether there are more" zh:"是否还有更多"`
}

// HookReceipts is the data of receipts.updated.
type HookReceipts struct {
	ConvID   skein.ID      `json:"conv_id" en:"the conversation" zh:"会话 id"`
	Time     int64         `json:"time" en:"Unix ms" zh:"Unix 毫秒"`
	Receipts []HookReceipt `json:"receipts" en:"the members who came further, at most 500; more take several events" zh:"位置前进的成员，最多 500 个；更多则分多个事件"`
}

// HookReceipt is how far a member has come.
type HookReceipt struct {
	ClientID string `json:"client_id" en:"the member" zh:"成员"`
	Read     int64  `json:"read_seq" en:"it has read up to this seq" zh:"已读到的 seq"`
	Received int64  `json:"received_seq" en:"it has received up to this seq" zh:"已收到的 seq"`
}

// HookReceiptsOf writes how far members have come.
func HookReceiptsOf(conv skein.ID, at skein.Millis, places []skein.Position) HookReceipts {
	out := HookReceipts{ConvID: conv, Time: int64(at)}
	for _, p := range places {
		out.Receipts = append(out.Receipts, HookReceipt{p.Client, p.Read, p.Received})
	}
	return out
}

// HookPresence is the data of users.online and users.offline.
type HookPresence struct {
	Time      int64    `json:"time" en:"when the server looked, Unix ms" zh:"服务器查看的时间，Unix 毫秒"`
	ClientIDs []string `json:"client_ids" en:"the users, at most 500; more take several events" zh:"用户，最多 500 个；更多则分多个事件"`
}

// QuotaWarning is the data of app.quota_warning.
type QuotaWarning struct {
	Quota string  `json:"quota" en:"the quota, such as messages" zh:"配额名称，例如 messages"`
	Used  int64   `json:"used" en:"what the app has used" zh:"已用"`
	Limit int64   `json:"limit" en:"the quota" zh:"配额"`
	Day   *string `json:"day" en:"the day in UTC, YYYY-MM-DD; null: the quota is not one of a day" zh:"UTC 日期 YYYY-MM-DD；非按日配额为 null"`
}

// QuotaWarningOf writes a warning.
func QuotaWarningOf(w *skein.QuotaWarning) QuotaWarning {
	return QuotaWarning{Quota: w.Quota, Used: w.Used, Limit: w.Limit, Day: nullable(w.Day)}
}

// HookTest is the data of webhook.test.
type HookTest struct {
	WebhookID string `json:"webhook_id" en:"the endpoint" zh:"端点 id"`
}
