package adminapi

import "github.com/skein-im/skein"

// defaultUsageDays is how many days app.usage lists if the request does not say.
const defaultUsageDays = 30

// AppUsage is the request of app.usage.
type AppUsage struct {
	AppID string `json:"app_id" need:"1" en:"the app" zh:"应用"`
	First string `json:"first" en:"the first day, YYYY-MM-DD in UTC; absent: 30 days that end with last" zh:"起始日，UTC 的 YYYY-MM-DD；省略为以 last 结束的 30 天"`
	Last  string `json:"last" en:"the last day; absent: today" zh:"结束日；省略为今天"`
}

// InApp is the app in which the caller needs its role.
func (r AppUsage) InApp() string { return r.AppID }

// Days checks the request. Errors: skein.ErrMalformed.
func (r AppUsage) Days(now skein.Millis) (first, last skein.Day, err error) {
	last = skein.DayOf(now)
	if err := CheckApp(r.AppID); err != nil {
		return 0, 0, err
	}
	if r.Last != "" {
		if last, err = day("last", r.Last); err != nil {
			return 0, 0, err
		}
	}
	if r.First == "" {
		return last - defaultUsageDays + 1, last, nil
	}
	first, err = day("first", r.First)
	return first, last, err
}

func day(field, text string) (skein.Day, error) {
	d, ok := skein.ParseDay(text)
	if !ok {
		return 0, skein.Malformed(field, "must be a day such as 2026-11-30")
	}
	return d, nil
}

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
