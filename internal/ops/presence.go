package ops

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
)

// Presence knows who is online. Errors: skein.ErrForbidden where the app hides it from
// its clients.
type Presence interface {
	// Of is the presence of clients; an unknown one is offline.
	Of(ctx context.Context, by skein.Actor, clients []string) ([]skein.Presence, error)
	// Subscribe tells the caller's session of these clients from now on, and of no
	// others, and answers as Of.
	Subscribe(ctx context.Context, by skein.Actor, clients []string) ([]skein.Presence, error)
}

func presenceOps(d Deps) []*Op {
	return []*Op{
		row(Op{
			Name: "presence.get", Method: "POST", Path: "/im/presence", Need: skein.NeedClient,
			Doc: Doc{
				"Which of the clients are online, on which types of device, and when the others were last online. An app may hide presence from its clients, and it keeps last_seen only where that is switched on.",
				"查询用户是否在线、在线设备类型及最后在线时间。应用可对客户端隐藏在线状态；last_seen 需应用开启。",
			},
			Answer: []wire.Presence{},
		}, func(ctx context.Context, by skein.Actor, in request.Presence) (any, error) {
			return presenceOf(ctx, by, in, d.Presence.Of)
		}),
		row(Op{
			Name: "presence.subscribe", Need: skein.NeedClient,
			Doc: Doc{
				"Pushes presence to this session when one of these clients comes online or goes offline. The list replaces the one before; an empty list ends the subscription. It also ends with the session.",
				"订阅用户的在线状态，变化时向本连接推送 presence；替换先前的订阅，空列表为取消，连接断开即失效。",
			},
			Answer: []wire.Presence{},
		}, func(ctx context.Context, by skein.Actor, in request.Presence) (any, error) {
			return presenceOf(ctx, by, in, d.Presence.Subscribe)
		}),
	}
}

func presenceOf(
	ctx context.Context, by skein.Actor, in request.Presence,
	ask func(context.Context, skein.Actor, []string) ([]skein.Presence, error),
) (any, error) {
	clients, err := in.Clients(by.App.Settings.RelaxedClientIDs)
	if err != nil {
		return nil, err
	}
	list, err := ask(ctx, by, clients)
	return each(list, wire.PresenceOf), err
}
