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
	0:    {EN: "the call did what it says", ZH: "成功"},
	1:    {EN: "our fault; the log has it under the request id", ZH: "服务器内部错误，日志可按 request-id 查到"},
	211:  {EN: "a client that is named does not exist in this app", ZH: "请求中的用户在本应用不存在"},
	212:  {EN: "an id is not 1..64 letters and digits; an app may allow `_ - . @ :` too", ZH: "id 须为 1..64 个字母或数字；应用可设置允许 `_ - . @ :`"},
	213:  {EN: "the client is banned", ZH: "该用户被封禁"},
	4001: {EN: "a field that must be there is not, or is empty", ZH: "缺少必填字段或为空"},
	4002: {EN: "`IM-APP-ID` (or `app-id`) is not there", ZH: "缺少请求头 `IM-APP-ID`（或 `app-id`）"},
	4003: {EN: "unknown app, wrong key, bad or absent token: one answer for all", ZH: "应用不存在、app-key 错误、token 无效或缺失，统一返回此码"},
	4004: {EN: "the caller may not: a client acting for another, a non-member reading, a member doing an owner's work", ZH: "无权操作：代他人操作、非成员读取、普通成员做管理操作"},
	4011: {EN: "no such conversation in this app, or it is deleted", ZH: "会话不存在、已删除，或属于其他应用"},
	4012: {EN: "no such message in this conversation", ZH: "会话内没有该消息"},
	4013: {EN: "the id was used before with another content", ZH: "同一 id 已用于不同内容"},
	4040: {EN: "no endpoint has this path", ZH: "没有此路径的接口"},
	4050: {EN: "the endpoint has other methods; see the header `Allow`", ZH: "接口不支持该方法，见响应头 `Allow`"},
	4080: {EN: "the body came too slowly: JSON within 30 s, an upload at least 64 KiB in each 30 s; the connection is closed", ZH: "请求体发送过慢：JSON 须在 30 秒内发完，上传每 30 秒至少 64 KiB；连接随即关闭"},
	4130: {EN: "body over 256 KiB, file over the limit or over what the uploads of the app may take together (`max_storage_bytes`; messages do not count), group over its size, a client that may be in no more conversations; headers over 16 KiB (HTTP 431)", ZH: "请求体超过 256 KiB、文件超限或超出应用全部上传文件的配额（`max_storage_bytes`，消息不计入）、群成员超限、用户会话数已满；请求头超过 16 KiB 时为 HTTP 431"},
	4290: {EN: "over the rate, more than 8 uploads of a client at once, too many sockets of an address; wait as `Retry-After` says", ZH: "超出频率限制、同一用户同时上传超过 8 个，或同一地址连接过多；按 `Retry-After` 等待后重试"},
	4405: {EN: "the call does not fit this conv_type", ZH: "该操作不适用于此会话类型"},
	4406: {EN: "a field cannot be read; the text names it. Another Content-Type is HTTP 415", ZH: "字段格式错误，文本中会指出字段名；Content-Type 不符时为 HTTP 415"},
	4601: {EN: "the file's content is of a type that the app does not take", ZH: "文件内容的类型不被允许"},
	5030: {EN: "draining, the store is away, too little space is left for uploads, or the app has too much under way at once; wait as `Retry-After` says", ZH: "正在停机、存储不可用、磁盘空间不足以上传，或本应用同时进行的请求过多；按 `Retry-After` 等待后重试"},
}

// closeLine is one close code of the socket.
type closeLine struct {
	code int
	when ops.Doc
	do   ops.Doc
}

// What to do after a close.
var (
	stayAway = ops.Doc{EN: "Do not come back as you are.", ZH: "不要以当前身份重连。"}
	comeBack = ops.Doc{EN: "Reconnect with backoff and jitter, then fetch what was missed.", ZH: "退避并加随机抖动后重连，再补拉缺失的消息。"}
	mendIt   = ops.Doc{EN: "A fault of the client program.", ZH: "客户端程序有误，请修正。"}
)

var closeLines = []closeLine{
	{1000, ops.Doc{EN: "logout", ZH: "正常登出"}, stayAway},
	{1001, ops.Doc{EN: "the server is going away", ZH: "服务器停机或重启"}, comeBack},
	{1002, ops.Doc{EN: "a frame breaks RFC 6455", ZH: "违反 RFC 6455"}, mendIt},
	{1003, ops.Doc{EN: "a binary frame", ZH: "收到二进制帧"}, mendIt},
	{1006, ops.Doc{EN: "never sent: what a WebSocket library reports when the connection broke without a close frame", ZH: "服务器从不发送：连接未经关闭帧即断开时由 WebSocket 库报告"}, comeBack},
	{1007, ops.Doc{EN: "text that is not UTF-8", ZH: "文本不是 UTF-8"}, mendIt},
	{1009, ops.Doc{EN: "a frame over 256 KiB", ZH: "帧超过 256 KiB"}, mendIt},
	{1011, ops.Doc{EN: "our fault (1011, 1012)", ZH: "服务器错误（1011、1012）"}, comeBack},
	{1013, ops.Doc{EN: "the app has too many sockets, or too many unfinished messages", ZH: "本应用的连接或未发完的消息过多"}, comeBack},
	{wire.CloseKicked, ops.Doc{EN: "kicked, banned, deleted, token over, three failed logins; `logout.kick` before it says which", ZH: "被踢、封禁、删除、token 到期或三次登录失败；此前的 `logout.kick` 说明原因"}, stayAway},
	{wire.CloseNoLogin, ops.Doc{EN: "no login within 10 s", ZH: "10 秒内未登录"}, stayAway},
	{wire.CloseRate, ops.Doc{EN: "over the command rate for 10 s, or far over it; a frame costs one command and one more for each 8 KiB; before the login 100 in all", ZH: "连续 10 秒超出命令频率，或远超频率；每帧计一次，每 8 KiB 再计一次；登录前总计 100 次"}, stayAway},
	{wire.CloseSilent, ops.Doc{EN: "silent for two heartbeats, or a message that did not come whole within 30 s", ZH: "连续两个心跳周期无响应，或一条消息 30 秒内未发完"}, comeBack},
	{wire.CloseSlowReader, ops.Doc{EN: "reads too slowly; its queue is full, or those of all sockets together and its is among the longest", ZH: "读取过慢，发送队列已满；或所有队列合计已满且其队列属最长之列"}, comeBack},
}
