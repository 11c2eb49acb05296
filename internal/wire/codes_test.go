package wire

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/skein-im/skein"
)

func TestEveryErrorHasItsDocumentedCodeStatusAndTexts(t *testing.T) {
	for err, want := range map[error]Code{
		skein.ErrUnknownClient:       {nil, 211, 404, "未知用户", "unknown user"},
		skein.ErrInvalidClientID:     {nil, 212, 400, "unique_id 不符合要求", "invalid client id"},
		skein.ErrBanned:              {nil, 213, 403, "账号封禁", "account banned"},
		skein.ErrMissing:             {nil, 4001, 400, "参数缺失", "missing parameter"},
		skein.ErrMissingHeader:       {nil, 4002, 400, "头信息缺失", "missing header"},
		skein.ErrUnauthenticated:     {nil, 4003, 401, "认证失败", "authentication failed"},
		skein.ErrUnknownApp:          {nil, 4003, 401, "认证失败", "authentication failed"},
		skein.ErrForbidden:           {nil, 4004, 403, "无权操作", "forbidden"},
		skein.ErrUnknownConversation: {nil, 4011, 404, "未知会话", "unknown conversation"},
		skein.ErrUnknownMessage:      {nil, 4012, 404, "未知消息", "unknown message"},
		skein.ErrConflict:            {nil, 4013, 409, "冲突", "conflict"},
		skein.ErrRejected:            {nil, 4016, 422, "应用拒绝", "rejected by the app"},
		skein.ErrTooLarge:            {nil, 4130, 413, "请求过大", "request too large"},
		skein.ErrRateLimited:         {nil, 4290, 429, "请求过于频繁", "rate limited"},
		skein.ErrConvType:            {nil, 4405, 400, "错误的会话类型", "wrong conversation type"},
		skein.ErrMalformed:           {nil, 4406, 400, "错误的参数格式", "malformed parameter"},
		skein.ErrFileType:            {nil, 4601, 415, "错误的文件格式", "file type not allowed"},
		skein.ErrUnavailable:         {nil, 5030, 503, "服务不可用", "unavailable"},
		ErrMediaType:                 {nil, 4406, 415, "错误的参数格式", "malformed parameter"},
		ErrHeaders:                   {nil, 4130, 431, "请求过大", "request too large"},
		ErrUnknownPath:               {nil, 4040, 404, "未知接口", "unknown endpoint"},
		ErrMethod:                    {nil, 4050, 405, "请求方法不允许", "method not allowed"},
		ErrUpgrade:                   {nil, 4406, 426, "错误的参数格式", "malformed parameter"},
		context.DeadlineExceeded:     {nil, 5030, 503, "服务不可用", "unavailable"},
		context.Canceled:             {nil, 5030, 503, "服务不可用", "unavailable"},
		errors.New("no such table"):  {nil, 1, 500, internalText, internalText},
	} {
		for _, wrapped := range []error{err, fmt.Errorf("send: %w", err), &skein.Fault{Err: err}} {
			got := CodeOf(wrapped)
			got.Err = nil
			if got != want {
				t.Errorf("%v: got %+v, want %+v", wrapped, got, want)
			}
			if zh, en := Text(wrapped, Chinese), Text(wrapped, English); zh != want.ZH || en != want.EN {
				t.Errorf("%v: got %q and %q, want %q and %q", wrapped, zh, en, want.ZH, want.EN)
			}
		}
	}
}

func TestTextsSayWhatAndWhereAndNothingInternal(t *testing.T) {
	for name, tt := range map[string]struct {
		err    error
		zh, en string
	}{
		"a field":            {skein.Missing("client_ids"), "参数缺失: client_ids", "missing parameter: client_ids"},
		"a field and why":    {skein.Malformed("ttl", "must be at least 1"), "错误的参数格式: ttl: 不能小于 1", "malformed parameter: ttl: must be at least 1"},
		"why alone":          {skein.Malformed("", "is no JSON"), "错误的参数格式: is no JSON", "malformed parameter: is no JSON"},
		"wrapped":            {fmt.Errorf("sqlite: %w", skein.About(skein.ErrUnknownClient, "Tom")), "未知用户: Tom", "unknown user: Tom"},
		"beside an internal": {fmt.Errorf("%w: disk /dev/sda is full", skein.ErrUnavailable), "服务不可用", "unavailable"},
		"a fault of our own": {&skein.Fault{Err: errors.New("oops"), Field: "table", Detail: "users"}, internalText, internalText},
		"an internal":        {errors.New("password=hunter2"), internalText, internalText},
	} {
		if zh, en := Text(tt.err, Chinese), Text(tt.err, English); zh != tt.zh || en != tt.en {
			t.Errorf("%s: got %q and %q, want %q and %q", name, zh, en, tt.zh, tt.en)
		}
	}
}

func TestLangOfIsEnglishForEnglishAlone(t *testing.T) {
	for header, want := range map[string]Lang{
		"": Chinese, "en": English, "en-US,en;q=0.9": English, "EN": English, "zh-CN,zh;q=0.9,en;q=0.8": Chinese, "e": Chinese, "fr": Chinese,
	} {
		if got := LangOf(header); got != want {
			t.Errorf("%q: got %d, want %d", header, got, want)
		}
	}
}
