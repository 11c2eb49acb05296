package adminrows

import (
	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/webhooks"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

// The ops on webhooks.
const (
	WebhookCreate   ops.Call[adminapi.NewWebhook, adminapi.WebhookSecret]    = webhooks.OpCreate
	WebhookList     ops.Call[adminapi.OfApp, adminapi.Webhooks]              = "webhook.list"
	WebhookGet      ops.Call[adminapi.OfWebhook, adminapi.Webhook]           = "webhook.get"
	WebhookUpdate   ops.Call[adminapi.UpdateWebhook, adminapi.Webhook]       = webhooks.OpUpdate
	WebhookDelete   ops.Call[adminapi.OfWebhook, ops.Done]                   = webhooks.OpDelete
	WebhookRotate   ops.Call[adminapi.RotateWebhook, adminapi.WebhookSecret] = webhooks.OpRotate
	WebhookTest     ops.Call[adminapi.OfWebhook, adminapi.Attempt]           = "webhook.test"
	WebhookAttempts ops.Call[adminapi.ListAttempts, adminapi.Attempts]       = "webhook.attempts"
	WebhookFailed   ops.Call[adminapi.ListFailed, adminapi.FailedCalls]      = "webhook.failed"
	WebhookReplay   ops.Call[adminapi.ReplayWebhook, adminapi.Replayed]      = webhooks.OpReplay
)

const (
	webhooksPath = "/apps/{app_id}/webhooks"
	webhookPath  = webhooksPath + "/{webhook_id}"

	exampleNames = `"app_id":"shop","webhook_id":"whk_4x7h2n5w6y3k9c8v1b0m2q4z7t"`
)

func webhookOps(d Deps) []*ops.Op {
	admin := func(method, path string, codes []int, doc ops.Doc) ops.Op {
		return row(method, path, ops.ScopeApp, skein.OperatorAdmin, codes, doc)
	}
	return []*ops.Op{
		ops.Row(WebhookCreate, admin("POST", webhooksPath, []int{4001, 4014, 4130, 4406}, ops.Doc{
			EN: "Adds an endpoint to an app. It gets what happens from now on. The answer shows the secret that verifies the signatures; it is not shown again. An app has at most 20 endpoints.",
			ZH: "为应用添加 Webhook 端点，从现在起投递事件。密钥只在此次返回中显示。每个应用最多 20 个端点。",
		}), d.createWebhook, func() (string, adminapi.WebhookSecret) {
			return `{"app_id":"shop","url":"https://shop.example.com/skein","name":"orders","events":["message.sent","message.recalled"],"batch":10,"ordered":true}`, exampleSecret()
		}),
		ops.Row(WebhookList, admin("GET", webhooksPath, []int{4014, 4406}, ops.Doc{
			EN: "Lists the endpoints of an app.", ZH: "列出应用的 Webhook 端点。",
		}), d.listWebhooks, func() (string, adminapi.Webhooks) {
			return `{"app_id":"shop"}`, adminapi.Webhooks{Data: []adminapi.Webhook{webhookOf(exampleWebhook(), then)}}
		}),
		ops.Row(WebhookGet, admin("GET", webhookPath, []int{4014, 4406}, ops.Doc{
			EN: "Returns one endpoint.", ZH: "查询单个端点。",
		}), d.getWebhook, func() (string, adminapi.Webhook) {
			return `{` + exampleNames + `}`, webhookOf(exampleWebhook(), then)
		}),
		ops.Row(WebhookUpdate, admin("PUT", webhookPath, []int{4014, 4406}, ops.Doc{
			EN: "Changes the settings that the request names; in force within 2 s. An endpoint that was disabled and is enabled goes on where it stopped, so nothing is missing: messages whenever they were sent, everything else if it was disabled for less than 7 days. With skip it goes on with what happens from now on.",
			ZH: "修改请求中给出的设置，2 秒内生效。重新启用的端点从停止处继续，不会遗漏：消息不限时间，其他事件须在停用 7 天以内。skip 为 true 则从现在开始。",
		}), d.updateWebhook, func() (string, adminapi.Webhook) {
			e := exampleWebhook()
			e.Settings.Rate = 50
			return `{` + exampleNames + `,"rate":50}`, webhookOf(e, then)
		}),
		ops.Row(WebhookRotate, admin("POST", webhookPath+"/secret", []int{4014, 4406}, ops.Doc{
			EN: "Makes a new secret. For grace each call carries two signatures, of the new secret and of the one before, so a receiver can change over at any moment.",
			ZH: "生成新密钥。在 grace 时间内每次调用同时带有新旧两个签名，接收方可随时切换。",
		}), d.rotateWebhook, func() (string, adminapi.WebhookSecret) { return `{` + exampleNames + `,"grace":3600}`, exampleSecret() }),
		ops.Row(WebhookTest, admin("POST", webhookPath+"/test", []int{4014, 4406}, ops.Doc{
			EN: "Sends an event webhook.test at once, signed as every other, and returns what came of it. It is in no log.",
			ZH: "立即发送一个 webhook.test 事件（签名规则相同），并返回结果；不记入投递日志。",
		}), d.testWebhook, func() (string, adminapi.Attempt) {
			a := exampleAttempt()
			a.Seq, a.Status, a.Error, a.Answer, a.Events[0].Type = 0, 204, "", nil, skein.HookTest
			return `{` + exampleNames + `}`, attemptOf(a)
		}),
		ops.Row(WebhookAttempts, admin("GET", webhookPath+"/attempts", []int{4014, 4406}, ops.Doc{
			EN: "Reads the log of an endpoint, newest first: its calls of the last 7 days, with the first 4 KiB of each answer. The log has no body of a call, since that may hold what was recalled meanwhile. Of a busy endpoint it has a part: about 10 failed calls and 2 others a second.",
			ZH: "读取端点的投递日志，由新到旧：最近 7 天的调用及返回的前 4 KiB。日志不含请求体，因其内容可能已被撤回。繁忙的端点只记录一部分：每秒约 10 次失败与 2 次成功。",
		}), d.webhookAttempts, func() (string, adminapi.Attempts) {
			return `{` + exampleNames + `,"limit":1}`, attemptsOf([]store.WebhookAttempt{exampleAttempt()}, 1)
		}),
		ops.Row(WebhookFailed, admin("GET", webhookPath+"/failed", []int{4014, 4406}, ops.Doc{
			EN: "Lists the failed calls of an endpoint, oldest first: dead letters, which are kept for 30 days, or those that wait for their next attempt.",
			ZH: "列出端点失败的调用，由旧到新：死信（保留 30 天）或等待重试的调用。",
		}), d.failedCalls, func() (string, adminapi.FailedCalls) {
			return `{` + exampleNames + `,"limit":1}`, failedOf([]store.FailedDelivery{exampleFailed()}, 1)
		}),
		ops.Row(WebhookReplay, admin("POST", webhookPath+"/replay", []int{4014, 4406}, ops.Doc{
			EN: "Delivers dead letters anew, with all attempts before them: one (from_seq and until_seq the same), a span, or all since a time. At most 1,000 in one call.",
			ZH: "重新投递死信，重试次数重新计算：单条（from_seq 与 until_seq 相同）、一段，或某时间之后的全部。每次最多 1000 条。",
		}), d.replayWebhook, func() (string, adminapi.Replayed) {
			return `{` + exampleNames + `,"from_seq":3,"until_seq":3}`, adminapi.Replayed{Replayed: 1}
		}),
		ops.Row(WebhookDelete, admin("DELETE", webhookPath, []int{4014, 4406}, ops.Doc{
			EN: "Removes an endpoint with its failed calls and its log.", ZH: "移除端点及其失败的调用与日志。",
		}), d.deleteWebhook, func() (string, ops.Done) { return `{` + exampleNames + `}`, ops.Done{} }),
	}
}
