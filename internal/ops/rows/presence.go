package rows

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
)

// Presence knows who is online. Errors: skein.ErrForbidden if the app hides presence from
// its clients.
type Presence interface {
	// Of is the presence of clients; an unknown one is offline.
	Of(ctx context.Context, by skein.Actor, clients []string) ([]skein.Presence, error)
	// Subscribe replaces the clients whose presence the caller's session is told of, and
	// answers as Of.
	Subscribe(ctx context.Context, by skein.Actor, clients []string) ([]skein.Presence, error)
}

// The ops on presence.
const (
	PresenceGet       ops.Call[request.Presence, []wire.Presence] = "presence.get"
	PresenceSubscribe ops.Call[request.Presence, []wire.Presence] = "presence.subscribe"
)

func presenceOps(d Deps) []*ops.Op {
	return []*ops.Op{
		ops.Row(PresenceGet, ops.Op{
			Method: "POST", Path: "/im/presence", Need: skein.NeedClient, Codes: []int{212, 4001, 4406},
			Doc: ops.Doc{
				EN: "Returns which of the clients are online, on which types of device, and when the others were last online. An app may hide presence from its clients, and it keeps last_seen only if that is switched on.",
				ZH: "查询用户是否在线、在线设备的类型，以及离线用户的最后在线时间。应用可以对客户端隐藏在线状态；last_seen 需应用开启后才会保存。",
			},
		}, askPresence(func(p Presence) asksPresence { return p.Of }, d), examplePresence),
		ops.Row(PresenceSubscribe, ops.Op{
			Need: skein.NeedClient, Codes: []int{212, 4001, 4406},
			Doc: ops.Doc{
				EN: "Subscribes this session to the presence of clients: the server pushes presence when one of them comes online or goes offline. The list replaces the previous one; an empty list ends the subscription, and so does the end of the session.",
				ZH: "订阅用户的在线状态：其中有用户上线或下线时，服务端向本连接推送 presence。新列表替换先前的订阅；空列表取消订阅，连接断开后订阅失效。",
			},
		}, askPresence(func(p Presence) asksPresence { return p.Subscribe }, d), examplePresence),
	}
}

type asksPresence func(context.Context, skein.Actor, []string) ([]skein.Presence, error)

func askPresence(ask func(Presence) asksPresence, d Deps) func(context.Context, skein.Actor, request.Presence) ([]wire.Presence, error) {
	return func(ctx context.Context, by skein.Actor, in request.Presence) ([]wire.Presence, error) {
		clients, err := in.Clients(by.App.Settings.RelaxedClientIDs)
		if err != nil {
			return nil, err
		}
		list, err := ask(d.Presence)(ctx, by, clients)
		return each(list, wire.PresenceOf), err
	}
}

func examplePresence() (string, []wire.Presence) {
	return `{"client_ids":["Jerry","Alex"]}`, each(present(), wire.PresenceOf)
}

// present is Jerry on two devices, and Alex, who is offline.
func present() []skein.Presence {
	var devices skein.DeviceSet
	for _, word := range []string{"ios", "web"} {
		t, _ := skein.ParseDeviceType(word)
		devices = devices.With(t)
	}
	return []skein.Presence{{Client: "Jerry", Devices: devices}, {Client: "Alex", Seen: changed}}
}
