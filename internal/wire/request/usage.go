package request

// Usage is the request of app.usage.
type Usage struct {
	First string `json:"first" en:"the first day, YYYY-MM-DD in UTC; absent: 30 days that end with last" zh:"起始日，UTC 的 YYYY-MM-DD；省略为以 last 结束的 30 天"`
	Last  string `json:"last" en:"the last day; absent: today" zh:"结束日；省略为今天"`
}
