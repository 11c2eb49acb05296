package wire

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/skein-im/skein"
)

// Errors that only the transport knows.
var (
	ErrUnknownPath = errors.New("unknown endpoint")
	ErrMethod      = errors.New("method not allowed")
	ErrMediaType   = errors.New("unsupported media type")
	ErrHeaders     = errors.New("header block too large")
	ErrUpgrade     = errors.New("upgrade required")
)

// Code is one line of the code table.
type Code struct {
	Err    error
	Code   int
	Status int // HTTP
	ZH, EN string
}

const internalText = "Internal server error. No information available"

var internal = Code{nil, 1, http.StatusInternalServerError, internalText, internalText}

// Codes is the code table. An error that is not in it is code 1, and its
// text stays in the log.
var Codes = []Code{
	{skein.ErrUnknownClient, 211, 404, "未知用户", "unknown user"},
	{skein.ErrInvalidClientID, 212, 400, "unique_id 不符合要求", "invalid client id"},
	{skein.ErrBanned, 213, 403, "账号封禁", "account banned"},
	{skein.ErrMissing, 4001, 400, "参数缺失", "missing parameter"},
	{skein.ErrMissingHeader, 4002, 400, "头信息缺失", "missing header"},
	{skein.ErrUnauthenticated, 4003, 401, "认证失败", "authentication failed"},
	{skein.ErrUnknownApp, 4003, 401, "认证失败", "authentication failed"}, // deleted since the caller was let in
	{skein.ErrForbidden, 4004, 403, "无权操作", "forbidden"},
	{skein.ErrUnknownConversation, 4011, 404, "未知会话", "unknown conversation"},
	{skein.ErrUnknownMessage, 4012, 404, "未知消息", "unknown message"},
	{skein.ErrConflict, 4013, 409, "冲突", "conflict"},
	{skein.ErrNotFound, 4014, 404, "不存在", "not found"},
	{skein.ErrRefused, 4015, 422, "内容被拒绝", "content refused"},
	{skein.ErrRejected, 4016, 422, "应用拒绝", "rejected by the app"},
	{ErrUnknownPath, 4040, 404, "未知接口", "unknown endpoint"},
	{ErrMethod, 4050, 405, "请求方法不允许", "method not allowed"},
	{skein.ErrTooSlow, 4080, 408, "请求发送过慢", "request sent too slowly"},
	{skein.ErrTooLarge, 4130, 413, "请求过大", "request too large"},
	{skein.ErrRateLimited, 4290, 429, "请求过于频繁", "rate limited"},
	{skein.ErrConvType, 4405, 400, "错误的会话类型", "wrong conversation type"},
	{skein.ErrMalformed, 4406, 400, "错误的参数格式", "malformed parameter"},
	{ErrMediaType, 4406, 415, "错误的参数格式", "malformed parameter"},
	{ErrHeaders, 4130, 431, "请求过大", "request too large"},
	{ErrUpgrade, 4406, 426, "错误的参数格式", "malformed parameter"},
	{skein.ErrFileType, 4601, 415, "错误的文件格式", "file type not allowed"},
	{skein.ErrUnavailable, 5030, 503, "服务不可用", "unavailable"},
	{context.DeadlineExceeded, 5030, 503, "服务不可用", "unavailable"},
	{context.Canceled, 5030, 503, "服务不可用", "unavailable"},
}

// CodeOf is the line of the code table for an error.
func CodeOf(err error) Code {
	for _, c := range Codes {
		if errors.Is(err, c.Err) {
			return c
		}
	}
	return internal
}

// Text is the message of an answer: the line's text in the language and, where the
// error is a skein.Fault, ": " with the field and ": " with the detail.
func Text(err error, lang Lang) string {
	c := CodeOf(err)
	text := c.ZH
	if lang == English {
		text = c.EN
	}
	var f *skein.Fault
	if !errors.As(err, &f) || c.Code == internal.Code || f.Field+f.Detail == "" {
		return text
	}
	for _, part := range [...]string{f.Field, detailIn(lang, f.Detail)} {
		if part != "" {
			text += ": " + part
		}
	}
	return text
}

// RetryAfter is how long to wait after an error that says "later"; zero for the others.
func RetryAfter(err error) time.Duration {
	switch CodeOf(err).Code {
	case 4290, 5030:
	default:
		return 0
	}
	wait := time.Second
	if f, ok := errors.AsType[*skein.Fault](err); ok {
		wait = cmp.Or(f.Retry, wait)
	}
	return wait
}

// Close codes of the socket.
const (
	CloseKicked     = 4401 // kicked, banned, or the token is over: do not come back as you are
	CloseNoLogin    = 4408
	CloseRate       = 4429
	CloseSilent     = 4504 // nothing heard for two heartbeats: reconnect with backoff, then sync
	CloseSlowReader = 4508 // as above
)

// Lang is the language of messages.
type Lang int8

// Languages.
const (
	Chinese Lang = iota // the default
	English
)

// SpeaksEither reports whether a language, or an Accept-Language, begins with zh or en.
func SpeaksEither(lang string) bool {
	return LangOf(lang) == English || len(lang) >= 2 && strings.EqualFold(lang[:2], "zh")
}

// LangOf is English for an Accept-Language that begins with en.
func LangOf(acceptLanguage string) Lang {
	if len(acceptLanguage) >= 2 && (acceptLanguage[0]|0x20) == 'e' && (acceptLanguage[1]|0x20) == 'n' {
		return English
	}
	return Chinese
}
