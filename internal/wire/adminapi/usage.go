package adminapi

import "github.com/skein-im/skein"

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
	if err := CheckApp(r.AppID); err != nil {
		return 0, 0, err
	}
	return skein.ParseUsageSpan(r.First, r.Last, now)
}
