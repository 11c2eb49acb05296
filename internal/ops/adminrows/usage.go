package adminrows

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

// AppUsage is the op on what an app used.
const AppUsage ops.Call[adminapi.AppUsage, wire.UsageByDay] = "app.usage"

func usageOps(d Deps) []*ops.Op {
	return []*ops.Op{
		ops.Row(AppUsage, row("GET", appPath+"/usage", ops.ScopeApp, skein.OperatorReadOnly, []int{4014, 4406}, ops.Doc{
			EN: "Lists what an app used, by day in UTC, on all nodes together; today's counts are at most about a minute old. Kept for 400 days. A node that is killed loses the counts of its last minute. The settings quota_messages, quota_deliveries and quota_connections, and max_storage_bytes, let webhooks tell when 80 % of them is used.",
			ZH: "按日（UTC）列出应用在所有节点上的用量；当日数据最多滞后约一分钟，保留 400 天。节点被强制终止时会丢失其最后一分钟的计数。设置 quota_messages、quota_deliveries、quota_connections 与 max_storage_bytes 后，用至 80 % 时通过 webhook 通知。",
		}), func(ctx context.Context, _ skein.Actor, in adminapi.AppUsage) (wire.UsageByDay, error) {
			first, last, err := in.Days(d.Operators.Now())
			if err != nil {
				return wire.UsageByDay{}, err
			}
			days, err := d.Operators.Usage(ctx, in.AppID, first, last)
			return wire.UsageOf(days), err
		}, func() (string, wire.UsageByDay) {
			return `{"app_id":"shop","first":"2026-11-30"}`, wire.UsageOf([]skein.Usage{{Day: 20787, Messages: 51200, Deliveries: 204800, Connections: 1300, StorageBytes: 73400320}})
		}),
	}
}
