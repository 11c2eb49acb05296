package wire

import (
	"regexp"
	"strings"
)

// detailsZH are the details of faults in Chinese, by the English that the code has.
// Add a line with every detail: a test of internal/ops/reference walks the code.
var detailsZH = map[string]string{ //nolint:gosec // words for people, of which some are about tokens
	"--dev serves this machine alone, under a loopback host such as 127.0.0.1 or localhost and not through a proxy: start the server with --allow-open-apps to serve the demo to everybody": "--dev 只在本机提供服务（主机名须为 127.0.0.1、localhost 等回环地址，且不经代理）：要向所有人提供演示，请以 --allow-open-apps 启动服务",
	"must be 1 to 64 of A-Z a-z 0-9 - _ . @":                             "须为 1 至 64 个 A-Z a-z 0-9 - _ . @",
	"must be 1 to 64 of A-Z a-z 0-9 - _":                                 "须为 1 至 64 个 A-Z a-z 0-9 - _",
	"must be 1 to 64 of A-Z a-z 0-9 - _, or null":                        "须为 1 至 64 个 A-Z a-z 0-9 - _，或 null",
	"must be read-only, support, admin or owner":                         "须为 read-only、support、admin 或 owner",
	"must be 60 seconds to 365 days":                                     "须为 60 秒至 365 天",
	"must be 0 seconds to 30 days":                                       "须为 0 秒至 30 天",
	"must be 1 to 500":                                                   "须为 1 至 500",
	"must be 1 to 100 characters":                                        "须为 1 至 100 个字符",
	"must be 60 to 315360000 seconds":                                    "须为 60 至 315360000 秒",
	"the app's before-hook did not answer":                               "应用的前置 Hook 未作答",
	"the app has no such hook":                                           "应用没有此 Hook",
	"unknown hook":                                                       "未知的 Hook",
	"must be pass or refuse":                                             "须为 pass 或 refuse",
	"must be 50 to 2000":                                                 "须为 50 至 2000",
	"contains a word that this app does not allow":                       "含有应用不允许的词语",
	"at most 100000 words and 2 MiB in all":                              "最多 100000 个词，总计 2 MiB",
	"a word must have 1 to 64 letters or digits":                         "每个词须有 1 至 64 个文字",
	"has no word list":                                                   "没有敏感词列表",
	"too many different characters":                                      "不同的字符过多",
	"must not begin with oidc., as the names of the sign-in provider do": "不得以 oidc. 开头，该前缀用于登录提供方的管理员",
	"operators of the sign-in provider have sessions, no other tokens":   "登录提供方的管理员只有会话，没有其他令牌",
	"none of your groups has a role here":                                "您所在的组在此没有角色",
	"this call does not use a session":                                   "本次调用未使用会话",
	"only GET":                                                           "仅支持 GET",
	"pages of another site may not use a session":                        "其他网站的页面不得使用会话",
	"begin at /admin/sign-in: this browser has no sign-in in progress":   "请从 /admin/sign-in 开始：此浏览器没有进行中的登录",
	"another browser began this sign-in":                                 "此登录由另一浏览器发起",
	"the provider refused":                                               "登录提供方已拒绝",
	"the provider's answer is not valid":                                 "登录提供方的应答无效",
	"a key set must have at most 16384 bytes and 100 keys, each with another kid, public, for signatures, and RSA of 2048 to 8192 bits, EC P-256 or Ed25519": "密钥集最多 16384 字节、100 个密钥，kid 不得重复，每个须为用于签名的公钥：2048 至 8192 位 RSA、EC P-256 或 Ed25519",
	"must be an https URL of at most 2048 bytes, an http URL of a private address such as 10.0.0.7, or a key set":                                            "须为最多 2048 字节的 https 地址、私有地址（如 10.0.0.7）的 http 地址，或密钥集",
	"the last owner":                            "是最后一个 owner",
	"at most 1000 operators":                    "最多 1000 个管理员",
	"at most 20 tokens":                         "最多 20 个令牌",
	"names a conversation that was deleted":     "所指的会话已删除",
	"names a conversation of another conv_type": "所指的会话为其他 conv_type",
	"too little space is left for uploads":      "剩余空间不足，暂不接受上传",
	"too many handshakes from this address":     "此地址的握手过于频繁",
	"too many requests of this address at once": "此地址同时进行的请求过多",
	"call https://":                             "请使用 https:// 调用",
	"too many sockets":                          "连接过多",
	"too many sockets of this app":              "此应用的连接过多",
	"must be 1 second to 90 days":               "须为 1 秒至 90 天",
	"at most 100 pinned messages":               "最多置顶 100 条消息",
	"deleted":                                   "已删除",
	"recalled":                                  "已撤回",
	"not the current version":                   "不是当前版本",
	"must not be empty":                         "不能为空",
	"more members than the app allows":          "超过应用允许的成员数",
	"at most 1000 conversations may match":      "最多匹配 1000 个会话",
	"must name exactly one client other than client_id for conv_type 1": "私聊须恰好指定一个 client_id 以外的用户",
	"the members of a private conversation cannot change":               "私聊成员不可变更",
	"not a chat room":                                        "不是聊天室",
	"not a group or chat room":                               "不是群会话或聊天室",
	"name the next owner instead":                            "请直接指定新的所有者",
	"exists with a different ext":                            "已存在，且 ext 不同",
	"executable archive":                                     "可执行的压缩包",
	"compound file without an Office document":               "不含 Office 文档的复合文件",
	"damaged compound file":                                  "已损坏的复合文件",
	"altered":                                                "已被改动",
	"needed: read what names the file again for a new link":  "缺失：请重新读取提到该文件的内容，以获得新链接",
	"expired: read what names the file again for a new link": "已过期：请重新读取提到该文件的内容，以获得新链接",
	"a link is not signed or has expired: read what names the file again for a new link": "链接未签名或已过期：请重新读取提到该文件的内容，以获得新链接",
	"more than 20 links are not signed or have expired":                                  "未签名或已过期的链接超过 20 个",
	"must be 64 to 1280":                  "须为 64 至 1280",
	"no thumbnails of files of this type": "此类文件没有缩略图",
	"the image cannot be decoded":         "图片无法解码",
	"the image is too large for a thumbnail: at most 40 megapixels, and less where decoding takes much memory": "图片过大，无法生成缩略图：最多 4000 万像素，解码占用内存较多的图片更少",
	"not the name of an upload":                        "不是上传文件名",
	"text with markup or a script":                     "包含标记或脚本的文本",
	"unknown command":                                  "未知命令",
	"too many clients are watched":                     "订阅的用户过多",
	"the query string cannot be read":                  "查询字符串无法读取",
	"too many uploads of this app at once":             "此应用同时上传过多",
	"too many uploads of this client at once":          "此用户同时上传过多",
	"not in any app's allowed_origins":                 "不在任何应用的 allowed_origins 中",
	"not in the app's allowed_origins":                 "不在应用的 allowed_origins 中",
	"differs from app-id":                              "与 app-id 不一致",
	"the body cannot be read":                          "请求体无法读取",
	"must be application/json":                         "须为 application/json",
	"not supported":                                    "不支持",
	"the form cannot be read":                          "表单无法读取",
	"must be multipart/form-data":                      "须为 multipart/form-data",
	"a newer login holds this device":                  "该设备已有更新的登录",
	"this socket is already logged in":                 "此连接已登录",
	"too many sockets from this address":               "此地址的连接过多",
	"must be 16 bytes in base64":                       "须为 16 字节的 base64",
	"must be 13":                                       "须为 13",
	"this is a WebSocket endpoint":                     "此接口仅支持 WebSocket",
	"a private conversation has two different clients": "私聊须为两个不同的用户",
	"too much work for one call: ask for less, or use fewer or simpler conditions": "单次调用工作量过大：请缩小范围，或减少、简化条件",
	"must be at least 0":                                 "不能小于 0",
	"must be at least 1":                                 "不能小于 1",
	"must hold conv_extend and nothing else":             "只能包含 conv_extend",
	"must be 1 second to 365 days, for conv_type 2 only": "仅用于 conv_type 2，须为 1 秒至 365 天",
	"must be an object":                                  "须为 JSON 对象",
	"must be 1, 2, 3 or 4":                               "须为 1、2、3 或 4",
	"must be a JSON object":                              "须为 JSON 对象",
	"must be an integer":                                 "须为整数",
	"not valid JSON":                                     "不是合法的 JSON",
	"must be UTF-8 text without U+0000":                  "须为不含 U+0000 的 UTF-8 文本",
	"at most 32 levels of nesting":                       "最多嵌套 32 层",
	"duplicate":                                          "重复",
	"must not hold U+0000":                               "不能包含 U+0000",
	"unpaired surrogate":                                 "包含不成对的代理字符",
	"at most 64 bytes":                                   "最多 64 字节",
	"must not be blank or hold control characters":       "不能为空白或包含控制字符",
	"must be active or created":                          "只能是 active 或 created",
	"must be one emoji of at most 64 bytes, or a name of at most 32 bytes without spaces and control characters": "须为一个最多 64 字节的表情，或最多 32 字节、不含空格与控制字符的名称",
	"does not allow you to add it":                               "不允许你将其加入会话",
	"must be anyone, known or nobody":                            "只能是 anyone、known 或 nobody",
	"at most 20":                                                 "最多 20 个",
	"the content is longer than declared":                        "内容比声明的更长",
	"does not match the content":                                 "与内容不符",
	"for chat rooms only":                                        "仅用于聊天室",
	"removed; may join only when added":                          "已被移出，须由他人添加后才能加入",
	"at most 128 bytes":                                          "最多 128 字节",
	"at most 256 bytes":                                          "最多 256 字节",
	"at most 64 characters":                                      "最多 64 个字符",
	"at most 2 KiB":                                              "最大 2 KiB",
	"at most 4 KiB":                                              "最大 4 KiB",
	"at most 16 KiB":                                             "最大 16 KiB",
	"must be a string":                                           "须为字符串",
	"must be a string of at most 254 bytes":                      "须为最多 254 字节的字符串",
	"must be ios, android, web, desktop, mini or other":          "须为 ios、android、web、desktop、mini 或 other",
	"must be 32 lower-case hexadecimal digits":                   "须为 32 位小写十六进制",
	"out of range":                                               "数值超出范围",
	"must not hold control characters or backslashes":            "不能包含控制字符或反斜杠",
	"must be an http or https address, or a link to an upload":   "须为 http 或 https 地址，或上传文件的链接",
	"must be a time in Unix milliseconds":                        "须为 Unix 毫秒时间",
	"must be owner, admin or member":                             "须为 owner、admin 或 member",
	"not together with after_seq":                                "不能与 after_seq 同时使用",
	"must be -1 to -6, or 1 to 2147483647":                       "须为 -1 至 -6，或 1 至 2147483647",
	"at most 100":                                                "最多 100 个",
	"invalid or expired":                                         "无效或已过期",
	"must be 1 to 100":                                           "须为 1 至 100",
	"must be 1 to 200":                                           "须为 1 至 200",
	"at most 200":                                                "最多 200 个",
	"must not hold control characters":                           "不能包含控制字符",
	"must be keep or erase":                                      "须为 keep 或 erase",
	"must be a future time in Unix milliseconds":                 "须为未来的 Unix 毫秒时间",
	"must be one condition on client_id with = or in":            "须为 client_id 的单个 = 或 in 条件",
	"the field must be a string":                                 "字段名须为字符串",
	"at most 20 conditions":                                      "最多 20 个条件",
	"must be a list of [field, operator, value]":                 "须为 [字段, 操作符, 值] 的列表",
	"must be [field, operator, value]":                           "须为 [字段, 操作符, 值]",
	"the operator exists is for conv_extend only":                "操作符 exists 仅用于 conv_extend",
	"the operator must be a string":                              "操作符须为字符串",
	"the path has at most 8 keys":                                "路径最多 8 个键",
	"true and false have no order":                               "true 与 false 不能比较大小",
	"the value must be a list of 1 to 200 values":                "值须为 1 至 200 个值的列表",
	"the value has at most 256 bytes":                            "值最多 256 字节",
	"the value must be YYYY-MM-DD HH:MM:SS or Unix milliseconds": "值须为 YYYY-MM-DD HH:MM:SS 或 Unix 毫秒",
	"the value must be an integer":                               "值须为整数",
	"the value must be a list":                                   "值须为列表",
	"the number is out of range":                                 "数值超出范围",
	"the value must be a string":                                 "值须为字符串",
	"the value must be a string, a number, true or false":        "值须为字符串、数字、true 或 false",
	"the value must be true or false":                            "值须为 true 或 false",
	"wrong type":                                                 "类型错误",
	"must be a string or an integer":                             "须为字符串或整数",
	"must be 0 or 1":                                             "须为 0 或 1",
	"must be a string or null":                                   "须为字符串或 null",
	"must be an integer or null":                                 "须为整数或 null",
	"is not 1 to 32 bytes without spaces and control characters": "须为 1 至 32 字节，不含空格与控制字符",
	"text, attr, mention_all or mention_client_ids":              "text、attr、mention_all 或 mention_client_ids",
	"role, mute_until or nickname":                               "role、mute_until 或 nickname",
	"pin, mute, archive, unread_mark, draft or clear_to_seq":     "pin、mute、archive、unread_mark、draft 或 clear_to_seq",
	"too old to edit":                                            "已超过可编辑的时间",
	"too old to recall":                                          "已超过可撤回的时间",

	"must be an http or https URL of a public address, or of one that --outbound-allow has": "须为公网地址或 --outbound-allow 允许的地址，http 或 https",

	"at most 20 of an app":     "每个应用最多 20 个",
	"not an event of webhooks": "不是 Webhook 的事件",
	"must be 1 to 4":           "须为 1 至 4",
	"must be 1 to 10000":       "须为 1 至 10000",

	"must be 1 to 64 characters":                                  "须为 1 至 64 个字符",
	"must be a day such as 2026-11-30":                            "须为日期，例如 2026-11-30",
	"must be erase or keep":                                       "须为 erase 或 keep",
	"at most 500 characters":                                      "最多 500 个字符",
	"more than 20000 records or 8 MiB: use skein export --client": "超过 20000 条记录或 8 MiB：请使用 skein export --client",
}

// detailPattern is a detail with values of the call in it, each written %s.
type detailPattern struct{ en, zh string }

// detailPatterns are tried in this order if detailsZH has no line.
var detailPatterns = []detailPattern{
	{"type %s is not allowed by this app", "应用不允许 %s 类型"},
	{"at most %s KiB", "最大 %s KiB"},
	{"at most %s bytes", "最大 %s 字节"},
	{"content of type %s is not allowed", "不允许的内容类型 %s"},
	{"unknown field %s", "未知字段 %s"},
	{"unknown operator %s", "未知操作符 %s"},
	{"operator %s does not apply to this field", "操作符 %s 不适用于此字段"},
	{"invalid key in path %s", "路径 %s 含有无效的键"},
	{"not valid JSON at byte %s", "第 %s 字节处不是合法的 JSON"},
	{"at most %s", "最多 %s 个"},
	{"exceeds what this app may store: max_storage_bytes is %s", "超过应用的存储上限：max_storage_bytes 为 %s"},
	{"came slower than 64 KiB in %s", "请求体传输过慢，低于每 %s 64 KiB"},
	{"app %s has token authentication off, so it is served on this machine alone, not through a proxy or under another host name: turn it on (skein app update --id %s --token-auth on) or start the server with --allow-open-apps", "应用 %s 未开启 token 验证，只在本机提供服务，不经代理或其他主机名：请开启（skein app update --id %s --token-auth on），或以 --allow-open-apps 启动服务"},
	{"%s (allowed: %s)", "%s（允许：%s）"},
}

var detailMatchers = func() []*regexp.Regexp {
	all := make([]*regexp.Regexp, len(detailPatterns))
	for i, p := range detailPatterns {
		all[i] = regexp.MustCompile("(?s)^" + strings.ReplaceAll(regexp.QuoteMeta(p.en), "%s", "(.*)") + "$")
	}
	return all
}()

// detailIn is a fault's detail in the reader's language; English if it has no translation.
func detailIn(lang Lang, detail string) string {
	if lang == English || detail == "" {
		return detail
	}
	if zh, ok := detailsZH[detail]; ok {
		return zh
	}
	for i, m := range detailMatchers {
		if parts := m.FindStringSubmatch(detail); parts != nil {
			zh := detailPatterns[i].zh
			for _, part := range parts[1:] {
				before, after, _ := strings.Cut(zh, "%s")
				zh = before + part + after
			}
			return zh
		}
	}
	return detail
}
