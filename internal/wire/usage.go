package wire

import "github.com/skein-im/skein"

// UsageOfDay is what an app used in a day.
type UsageOfDay struct {
	Day          string `json:"day" en:"YYYY-MM-DD in UTC" zh:"UTC 日期 YYYY-MM-DD"`
	Messages     int64  `json:"messages" en:"messages that were stored; imported and transient ones do not count" zh:"存储的消息数；不含导入与瞬时消息"`
	Deliveries   int64  `json:"deliveries" en:"frames queued for sockets: messages, changes and events" zh:"推送给连接的帧数：消息、变更与事件"`
	Connections  int64  `json:"connections_peak" en:"the most logged-in sockets in a minute: each node counts every 10 s, and the most of each node in the minute are added up" zh:"一分钟内已登录连接数的峰值：各节点每 10 秒计数一次，取该分钟最大值后相加"`
	StorageBytes int64  `json:"storage_bytes" en:"bytes of all uploads together, when the app last used something that day" zh:"当日最后一次有用量时全部上传文件的字节数"`
}

// UsageByDay is the answer of app.usage.
type UsageByDay struct {
	Data []UsageOfDay `json:"data" en:"by day; days on which the app used nothing are left out" zh:"按日期排序；无用量的日期不列出"`
}

// UsageOf writes days.
func UsageOf(days []skein.Usage) UsageByDay {
	out := UsageByDay{Data: []UsageOfDay{}}
	for _, d := range days {
		out.Data = append(out.Data, UsageOfDay{d.Day.String(), d.Messages, d.Deliveries, d.Connections, d.StorageBytes})
	}
	return out
}
