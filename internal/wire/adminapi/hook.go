package adminapi

import (
	"cmp"
	"slices"
	"time"

	"github.com/skein-im/skein"
)

// OfHook names a before-hook of an app.
type OfHook struct {
	OfApp

	Hook string `json:"hook" need:"1" en:"what the hook is asked before: message, conversation, members, login or upload" zh:"Hook 的时机：message、conversation、members、login 或 upload"`
}

// Check checks the names. Errors: skein.ErrMalformed.
func (r OfHook) Check() error {
	if !slices.Contains(skein.BeforeHooks, r.Hook) {
		return skein.Malformed("hook", "unknown hook")
	}
	return r.check()
}

// PutHook is the request of hook.put.
type PutHook struct {
	OfHook

	URL       string `json:"url" need:"1" en:"where the calls go: http or https, a public address, or one that --outbound-allow has; at most 2,048 bytes" zh:"调用地址：http 或 https，须为公网地址或 --outbound-allow 允许的地址；最多 2048 字节"`
	TimeoutMS *int64 `json:"timeout_ms" en:"how long a call may take in ms, 50..2000; absent: 500" zh:"调用超时毫秒数，50..2000；省略为 500"`
	OnFailure string `json:"on_failure" en:"what becomes of what the hook does not answer: pass, it happens (default); refuse, it is refused with 5030" zh:"调用失败时：pass 放行（默认）；refuse 以 5030 拒绝"`
}

// Asks is the hook of the request. Errors: skein.ErrMalformed.
func (r PutHook) Asks() (skein.BeforeHook, error) {
	h := skein.BeforeHook{On: r.Hook, URL: r.URL, Closed: r.OnFailure == refuse}
	if r.OnFailure != "" && r.OnFailure != pass && r.OnFailure != refuse {
		return h, skein.Malformed("on_failure", "must be pass or refuse")
	}
	if r.TimeoutMS != nil {
		if *r.TimeoutMS < skein.MinHookTimeout || *r.TimeoutMS > skein.MaxHookTimeout {
			return h, skein.Malformed("timeout_ms", "must be 50 to 2000")
		}
		h.Timeout = int(*r.TimeoutMS)
	}
	return h, r.Check()
}

// Words of PutHook.OnFailure.
const (
	pass   = "pass"
	refuse = "refuse"
)

// RotateHook is the request of hook.rotate.
type RotateHook struct {
	OfHook

	Grace *int64 `json:"grace" en:"seconds for which calls carry signatures of both secrets, 0 to 2592000; absent: 1 day" zh:"新旧密钥同时签名的秒数，0 至 2592000；省略为 1 天"`
}

// GraceTime checks the time. Errors: skein.ErrMalformed.
func (r RotateHook) GraceTime() (time.Duration, error) { return GraceTime(r.Grace) }

// Hook is a before-hook as answered.
type Hook struct {
	Hook      string `json:"hook" en:"what it is asked before" zh:"Hook 的时机"`
	URL       string `json:"url" en:"where the calls go" zh:"调用地址"`
	TimeoutMS int    `json:"timeout_ms" en:"how long a call may take in ms" zh:"调用超时毫秒数"`
	OnFailure string `json:"on_failure" en:"what becomes of what it does not answer: pass or refuse" zh:"调用失败时：pass 或 refuse"`
	OldSecret *int64 `json:"old_secret_expires" en:"until when calls carry a signature of the older secret too, Unix ms; null: they do not" zh:"旧密钥同时签名的截止时间，Unix 毫秒；无则为 null"`
}

// HookOf writes a hook.
func HookOf(h skein.BeforeHook, now skein.Millis) Hook {
	out := Hook{Hook: h.On, URL: h.URL, TimeoutMS: cmp.Or(h.Timeout, skein.DefaultHookTimeout), OnFailure: pass}
	if h.Closed {
		out.OnFailure = refuse
	}
	if len(h.Secrets) > 1 && h.Secrets[1].Expires > now {
		until := int64(h.Secrets[1].Expires)
		out.OldSecret = &until
	}
	return out
}

// Hooks is the answer of hook.list.
type Hooks struct {
	Data []Hook `json:"data" en:"the hooks" zh:"Hook 列表"`
}

// HooksOf writes the hooks of an app.
func HooksOf(all []skein.BeforeHook, now skein.Millis) Hooks {
	list := Hooks{Data: []Hook{}}
	for _, h := range all {
		list.Data = append(list.Data, HookOf(h, now))
	}
	return list
}

// HookSecret is a hook, with its secret if that is new.
type HookSecret struct {
	Hook

	Secret *string `json:"secret" en:"whsec_…: verifies the signatures; it is not shown again. null: it is the one before" zh:"whsec_…：用于验证签名，不再显示；null 表示沿用原密钥"`
}

// HookSecretOf writes a hook with its new secret; empty: it has none.
func HookSecretOf(h skein.BeforeHook, secret string, now skein.Millis) HookSecret {
	out := HookSecret{Hook: HookOf(h, now)}
	if secret != "" {
		out.Secret = &secret
	}
	return out
}
