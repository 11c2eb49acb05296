package rows

import (
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire"
)

// HookEvents are the events of webhooks, in the order of the reference. The schemas in AsyncAPI and the reference
// are made from them.
var HookEvents = []ops.Event{
	hook(skein.HookMessageSent, ops.Doc{
		EN: "A message was stored. Not for transient and imported messages.",
		ZH: "消息已存储；不含暂态与导入的消息。",
	}, func() wire.Message { m := reply(); return wire.MessageOf(&m) }),
	hook(skein.HookMessageChanged, ops.Doc{
		EN: "A message was edited, reacted to, pinned or unpinned, or deleted by one member for itself.",
		ZH: "消息被编辑、回应、置顶或取消置顶，或被某成员为自己删除。",
	}, func() wire.Change { c := like(); return wire.ChangeOf(idOf(ExampleConv), &c) }),
	hook(skein.HookMessageRecalled, ops.Doc{
		EN: "A message was recalled or erased.",
		ZH: "消息被撤回或抹除。",
	}, func() wire.Change {
		m := hello()
		m.Status, m.Text, m.Version, m.Updated, m.Changed = skein.StatusRecalled, "", 2, 1608126130001, 1
		return wire.ChangeOf(idOf(ExampleConv), &skein.Change{Seq: 1, Kind: skein.ChangeRecall, By: "Tom", At: 1608126130001, Message: m})
	}),
	hook(skein.HookRecipientsOffline, ops.Doc{
		EN: "A message was stored, and members who should get it have no session: for your own push. Only for endpoints that name it, and conversations of at most 5,000 members.",
		ZH: "消息已存储，且有应收成员不在线，可用于自有推送。仅投递给指明它的端点，且会话不超过 5000 人。",
	}, func() wire.OfflineRecipients {
		m := reply()
		return wire.OfflineRecipients{Message: wire.MessageOf(&m), ClientIDs: []string{"Tom"}}
	}),
	hook(skein.HookConversationCreated, ops.Doc{
		EN: "A conversation was created. Of a large one, members.added tells the other members.",
		ZH: "会话已创建；大会话的其余成员以 members.added 送达。",
	}, hookNotice("Tom", "Jerry")),
	hook(skein.HookConversationUpdated, ops.Doc{
		EN: "The extension of a conversation or mute_all was changed.",
		ZH: "会话的扩展或全员禁言已变更。",
	}, hookNotice()),
	hook(skein.HookConversationDeleted, ops.Doc{
		EN: "A conversation was deleted. Of a large one, members.removed tells the other members.",
		ZH: "会话已删除；大会话的其余成员以 members.removed 送达。",
	}, func() wire.HookConversation {
		e := hookNotice("Tom", "Jerry")()
		e.Conv = nil
		return e
	}),
	hook(skein.HookMembersAdded, ops.Doc{EN: "Members came.", ZH: "成员加入。"}, hookNotice("Mary")),
	hook(skein.HookMembersRemoved, ops.Doc{EN: "Members left or were removed.", ZH: "成员离开或被移除。"}, hookNotice("Mary")),
	hook(skein.HookMemberUpdated, ops.Doc{EN: "Role, nickname or mute of a member was changed.", ZH: "成员的角色、昵称或禁言已变更。"}, hookNotice("Jerry")),
	hook(skein.HookUserCreated, ops.Doc{EN: "A user was registered.", ZH: "用户已注册。"}, hookUser(func(*skein.Client) {})),
	hook(skein.HookUserUpdated, ops.Doc{EN: "A user's ext or settings were changed.", ZH: "用户的扩展或设置已变更。"}, hookUser(func(c *skein.Client) { c.Ext = []byte(`{"nickname":"Mary"}`) })),
	hook(skein.HookUserBanned, ops.Doc{EN: "A user was banned.", ZH: "用户被封禁。"}, hookUser(func(*skein.Client) {})),
	hook(skein.HookUserUnbanned, ops.Doc{EN: "A user's ban was ended.", ZH: "用户被解除封禁。"}, hookUser(func(*skein.Client) {})),
	hook(skein.HookUserLoggedOut, ops.Doc{EN: "A user was logged out of all devices or of some.", ZH: "用户在全部或部分设备上被下线。"}, hookUser(func(*skein.Client) {})),
	hook(skein.HookUserDeleted, ops.Doc{EN: "A user was deleted.", ZH: "用户已删除。"}, goneUser),
	hook(skein.HookUserErased, ops.Doc{EN: "The last message of a user that was deleted with its messages is erased.", ZH: "连同消息一起删除的用户，其最后一条消息已抹除。"}, goneUser),
	hook(skein.HookReceiptsUpdated, ops.Doc{
		EN: "Members of a conversation have read or received more: at most one event for a conversation and node a second, with the newest place of each member. Only for endpoints that name it.",
		ZH: "会话成员的已读或已收位置前进：每个会话在每个节点上每秒最多一个事件，含各成员的最新位置。仅投递给指明它的端点。",
	}, func() wire.HookReceipts {
		return wire.HookReceiptsOf(idOf(ExampleConv), changed, []skein.Position{{Client: "Tom", Read: 2, Received: 2}})
	}),
	hook(skein.HookUsersOnline, ops.Doc{
		EN: "Users have a session, on any node, for at least 2 s. May be told again of users who were online already. Only for endpoints that name it.",
		ZH: "用户在任一节点上有连接，且已满 2 秒；对已在线的用户可能重复通知。仅投递给指明它的端点。",
	}, func() wire.HookPresence {
		return wire.HookPresence{Time: int64(changed), ClientIDs: []string{"Tom", "Jerry"}}
	}),
	hook(skein.HookUsersOffline, ops.Doc{
		EN: "Users have had no session on any node for at least 2 s. Only for endpoints that name it.",
		ZH: "用户在所有节点上均无连接，且已满 2 秒。仅投递给指明它的端点。",
	}, func() wire.HookPresence { return wire.HookPresence{Time: int64(changed), ClientIDs: []string{"Tom"}} }),
	hook(skein.HookQuotaWarning, ops.Doc{EN: "The app has used 80 % of a quota: messages, deliveries, connections or storage. Once a day of each quota; nothing is refused but uploads beyond that of storage.", ZH: "应用已用去某项配额的 80 %：messages、deliveries、connections 或 storage；每项每日一次。除超出 storage 的上传外，不拒绝任何操作。"}, func() wire.QuotaWarning {
		return wire.QuotaWarningOf(&skein.QuotaWarning{Quota: "messages", Used: 800_000, Limit: 1_000_000, Day: "2020-12-16"})
	}),
	hook(skein.HookTest, ops.Doc{EN: "An operator tested the endpoint.", ZH: "管理员测试了端点。"}, func() wire.HookTest {
		return wire.HookTest{WebhookID: "whk_4x7h2n5w6y3k9c8v1b0m2q4z7t"}
	}),
}

// hook is an event whose data has the type of its example.
func hook[Data any](name string, doc ops.Doc, example func() Data) ops.Event {
	return ops.Event{Name: name, Doc: doc, Data: *new(Data), Example: func() []byte {
		raw, err := wire.HookEvent{
			ID: "evt_6lj2r9k1m3p5s8v0c4e7g2h6n9q1t3w5", Type: name, Time: wire.HookTime(changed.Time()), AppID: ExampleApp, Data: example(),
		}.Encode()
		if err != nil {
			panic("example of " + name + ": " + err.Error()) // the reference is written at build time
		}
		return raw
	}}
}

func hookNotice(clients ...string) func() wire.HookConversation {
	return func() wire.HookConversation {
		view := wire.ConversationOf(talk(), time.UTC)
		return wire.HookConversation{ConvID: idOf(ExampleConv), Time: int64(changed), ClientIDs: clients, Conv: &view}
	}
}

func hookUser(alter func(*skein.Client)) func() wire.HookUser {
	return func() wire.HookUser {
		c := userCalled("Mary")
		alter(&c)
		view := exampleUser(c)
		return wire.HookUser{ClientID: c.ID, Time: int64(changed), User: &view}
	}
}

func goneUser() wire.HookUser { return wire.HookUser{ClientID: "Mary", Time: int64(changed)} }
