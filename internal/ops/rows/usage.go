package rows

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
)

// AppUsage is the op on what the app used.
const AppUsage ops.Call[request.Usage, wire.UsageByDay] = "app.usage"

func usageOps(d Deps) []*ops.Op {
	return []*ops.Op{
		ops.Row(AppUsage, ops.Op{
			Method: "GET", Path: "/im/app/usage", Need: skein.NeedServer, Codes: []int{4406},
			Doc: ops.Doc{
				EN: "Lists what the app used, by day in UTC; today's counts are at most about a minute old. Kept for 400 days. A server that is killed loses the counts of its last minute: who needs each message counts message.sent of a webhook.",
				ZH: "按日（UTC）列出应用的用量；当日数据最多滞后约一分钟，保留 400 天。服务器被强制终止时会丢失其最后一分钟的计数：需要精确计数时，请统计 webhook 的 message.sent 事件。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.Usage) (wire.UsageByDay, error) {
			first, last, err := skein.ParseUsageSpan(in.First, in.Last, d.Chat.Now())
			if err != nil {
				return wire.UsageByDay{}, err
			}
			days, err := d.Chat.Usage(ctx, by, first, last)
			return wire.UsageOf(days), err
		}, func() (string, wire.UsageByDay) {
			return `{"first":"2020-12-16","last":"2020-12-16"}`, wire.UsageOf([]skein.Usage{{Day: 18612, Messages: 51200, Deliveries: 204800, Connections: 1300, StorageBytes: 73400320}})
		}),
	}
}
