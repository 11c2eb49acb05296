package reference

import (
	"slices"

	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire"
)

// codeLine is one code of the table; a code with more than one HTTP status has its
// usual one.
type codeLine struct {
	wire.Code
	when ops.Doc
}

// codeLines are the codes in order, 0 first.
func codeLines() []codeLine {
	lines := []codeLine{{wire.Code{Code: 0, Status: 200, ZH: "ok", EN: "ok"}, whens[0]}}
	for _, n := range codeNumbers() {
		lines = append(lines, codeLine{codeOf(n), whens[n]})
	}
	return lines
}

// codeNumbers are all codes but 0, in order.
func codeNumbers() []int {
	numbers := []int{1}
	for _, c := range wire.Codes {
		numbers = append(numbers, c.Code)
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// codeOf is the table's line of a code.
func codeOf(code int) wire.Code { return wire.CodeOf(faultOf(code)) }

var whens = map[int]ops.Doc{
	0:    {EN: "the call succeeded", ZH: "成功"},
	1:    {EN: "an internal error; the server logs it with the request id", ZH: "服务器内部错误，日志可按 request-id 查到"},
	211:  {EN: "a client that the call names does not exist in this app", ZH: "请求中的用户在本应用不存在"},
	212:  {EN: "an id is not 1..64 letters and digits; an app may allow `_ - . @ :` too", ZH: "id 须为 1..64 个字母或数字；应用可设置允许 `_ - . @ :`"},
	213:  {EN: "the client is banned", ZH: "该用户被封禁"},
	4001: {EN: "a required field is absent or empty", ZH: "缺少必填字段或为空"},
	4002: {EN: "the header `IM-APP-ID` (or `app-id`) is absent", ZH: "缺少请求头 `IM-APP-ID`（或 `app-id`）"},
	4003: {EN: "unknown app, wrong key, invalid or absent token; the answer does not say which", ZH: "应用不存在、app-key 错误、token 无效或缺失，统一返回此码"},
	4004: {EN: "the caller may not do this: for example a client acts for another one, a non-member reads, a member does what only the owner may", ZH: "无权操作：代他人操作、非成员读取、普通成员做管理操作"},
	4011: {EN: "the app has no such conversation, or it was deleted", ZH: "会话不存在、已删除，或属于其他应用"},
	4012: {EN: "the conversation has no such message", ZH: "会话内没有该消息"},
	4013: {EN: "the id was used before with other content, or the message has another version than expected", ZH: "同一 id 已用于不同内容，或消息版本与预期不符"},
	4015: {EN: "the content holds a word that the app does not allow", ZH: "内容含有应用不允许的词语"},
	4016: {EN: "a [before-hook](../hooks.md#before-hooks) of the app has rejected it; the text is the hook's own. Hooks are asked about what clients do, never about what the backend does", ZH: "应用的[前置 Hook](../hooks.zh-CN.md#前置-hook) 拒绝了该操作，文本由其给出；Hook 只针对用户的操作，后端的操作不调用"},
	4014: {EN: "an app, key, operator or token that a call of the [Admin API](admin.en.md) names does not exist", ZH: "[Admin API](admin.zh.md) 请求中的应用、密钥、管理员或令牌不存在"},
	4040: {EN: "no endpoint has this path", ZH: "没有此路径的接口"},
	4050: {EN: "the endpoint does not have this method; the header `Allow` lists those it has", ZH: "接口不支持该方法，见响应头 `Allow`"},
	4080: {EN: "the body arrived too slowly: JSON must arrive within 30 s, an upload at 64 KiB in each 30 s or faster; the server closes the connection", ZH: "请求体发送过慢：JSON 须在 30 秒内发完，上传每 30 秒至少 64 KiB；连接随即关闭"},
	4130: {EN: "the body exceeds 256 KiB; a file exceeds the limit, or the quota of all uploads of the app (`max_storage_bytes`; messages do not count); a group has too many members; a client is in too many conversations; the headers exceed 16 KiB (HTTP 431)", ZH: "请求体超过 256 KiB、文件超限或超出应用全部上传文件的配额（`max_storage_bytes`，消息不计入）、群成员超限、用户会话数已满；请求头超过 16 KiB 时为 HTTP 431"},
	4290: {EN: "a rate is exceeded, a client has more than 8 uploads at once, or an address has too many sockets; try again after `Retry-After`", ZH: "超出频率限制、同一用户同时上传超过 8 个，或同一地址连接过多；按 `Retry-After` 等待后重试"},
	4405: {EN: "the call does not apply to this conv_type", ZH: "该操作不适用于此会话类型"},
	4406: {EN: "a field is malformed; the text names it. With HTTP 415: the Content-Type is not supported", ZH: "字段格式错误，文本中会指出字段名；Content-Type 不符时为 HTTP 415"},
	4601: {EN: "the app does not allow the type of the file's content", ZH: "文件内容的类型不被允许"},
	5030: {EN: "the server is shutting down, the store is unavailable, too little disk space is left for uploads, or the app has too many calls in progress; try again after `Retry-After`", ZH: "正在停机、存储不可用、磁盘空间不足以上传，或本应用同时进行的请求过多；按 `Retry-After` 等待后重试"},
}

// closeLine is one close code of the socket.
type closeLine struct {
	code int
	when ops.Doc
	do   ops.Doc
}

// What to do after a close.
var (
	stayAway = ops.Doc{EN: "Do not reconnect with the same credentials.", ZH: "不要以当前凭证重连。"}
	comeBack = ops.Doc{EN: "Reconnect with backoff and jitter, then fetch what was missed.", ZH: "退避并加随机抖动后重连，再补拉缺失的消息。"}
	mendIt   = ops.Doc{EN: "Fix the client program.", ZH: "客户端程序有误，请修正。"}
)

var closeLines = []closeLine{
	{1000, ops.Doc{EN: "logout", ZH: "正常登出"}, stayAway},
	{1001, ops.Doc{EN: "the server shuts down or restarts", ZH: "服务器停机或重启"}, comeBack},
	{1002, ops.Doc{EN: "a frame violates RFC 6455", ZH: "违反 RFC 6455"}, mendIt},
	{1003, ops.Doc{EN: "the client sent a binary frame", ZH: "收到二进制帧"}, mendIt},
	{1006, ops.Doc{EN: "the server never sends it; WebSocket libraries report it when the connection broke without a close frame", ZH: "服务器从不发送：连接未经关闭帧即断开时由 WebSocket 库报告"}, comeBack},
	{1007, ops.Doc{EN: "the client sent text that is not UTF-8", ZH: "文本不是 UTF-8"}, mendIt},
	{1009, ops.Doc{EN: "a frame exceeds 256 KiB", ZH: "帧超过 256 KiB"}, mendIt},
	{1011, ops.Doc{EN: "a server error", ZH: "服务器错误"}, comeBack},
	{1012, ops.Doc{EN: "this server has lost its database for longer than it waits (`--patience`, 30 s by default); another server of the installation may serve", ZH: "该服务器失去数据库的时间超过其等待时间（`--patience`，默认 30 秒）；同一安装中的其他服务器可能仍可服务"}, comeBack},
	{1013, ops.Doc{EN: "the app has too many sockets, or too many unfinished messages", ZH: "本应用的连接或未发完的消息过多"}, comeBack},
	{wire.CloseKicked, ops.Doc{EN: "the session was ended: kicked, banned, deleted, token expired, or three failed logins; the `logout.kick` before it gives the reason", ZH: "被踢、封禁、删除、token 到期或三次登录失败；此前的 `logout.kick` 说明原因"}, stayAway},
	{wire.CloseNoLogin, ops.Doc{EN: "no login within 10 s", ZH: "10 秒内未登录"}, stayAway},
	{wire.CloseRate, ops.Doc{EN: "the client exceeded the command rate for 10 s, or by far; a frame counts as one command and one more for each 8 KiB; before the login a connection may send 100 in all", ZH: "连续 10 秒超出命令频率，或远超频率；每帧计一次，每 8 KiB 再计一次；登录前总计 100 次"}, stayAway},
	{wire.CloseSilent, ops.Doc{EN: "the client was silent for two heartbeats, or a message did not arrive whole within 30 s", ZH: "连续两个心跳周期无响应，或一条消息 30 秒内未发完"}, comeBack},
	{wire.CloseSlowReader, ops.Doc{EN: "the client reads too slowly: its send queue is full, or all queues together are full and its queue is among the longest", ZH: "读取过慢，发送队列已满；或所有队列合计已满且其队列属最长之列"}, comeBack},
}
