package adminrows

import (
	"cmp"
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/hooks"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

// The ops on before-hooks.
const (
	HookPut    ops.Call[adminapi.PutHook, adminapi.HookSecret]    = hooks.OpPut
	HookList   ops.Call[adminapi.OfApp, adminapi.Hooks]           = "hook.list"
	HookRotate ops.Call[adminapi.RotateHook, adminapi.HookSecret] = hooks.OpRotate
	HookDelete ops.Call[adminapi.OfHook, ops.Done]                = hooks.OpDelete
)

const (
	hooksPath = appPath + "/hooks"
	hookPath  = hooksPath + "/{hook}"
)

func hookOps(d Deps) []*ops.Op {
	admin := func(method, path string, codes []int, doc ops.Doc) ops.Op {
		return row(method, path, ops.ScopeApp, skein.OperatorAdmin, codes, doc)
	}
	return []*ops.Op{
		ops.Row(HookPut, admin("PUT", hookPath, []int{4001, 4014, 4406}, ops.Doc{
			EN: "Sets a before-hook of an app: the server asks the URL before something happens, and waits for its verdict. In force within 2 s on every node. If the app had no such hook, the answer shows the secret that verifies the signatures of the calls; later calls keep it. See docs/hooks.md for the calls and the verdicts.",
			ZH: "设置应用的前置 Hook：服务端在操作发生前调用该地址并等待其裁决，2 秒内在所有节点生效。首次设置时返回用于验证签名的密钥，此后沿用。调用与裁决的格式见 docs/hooks.zh-CN.md。",
		}), d.putHook, func() (string, adminapi.HookSecret) {
			return `{"app_id":"shop","hook":"message","url":"https://shop.example.com/skein/before","timeout_ms":300,"on_failure":"refuse"}`, adminapi.HookSecretOf(exampleHook(), exampleSecret().Secret, then)
		}),
		ops.Row(HookList, admin("GET", hooksPath, []int{4014, 4406}, ops.Doc{
			EN: "Lists the before-hooks of an app.", ZH: "列出应用的前置 Hook。",
		}), func(ctx context.Context, _ skein.Actor, in adminapi.OfApp) (adminapi.Hooks, error) {
			if err := adminapi.CheckApp(in.AppID); err != nil {
				return adminapi.Hooks{}, err
			}
			all, err := d.Hooks.List(ctx, in.AppID)
			return adminapi.HooksOf(all, d.Operators.Now()), err
		}, func() (string, adminapi.Hooks) {
			return `{"app_id":"shop"}`, adminapi.HooksOf([]skein.BeforeHook{exampleHook()}, then)
		}),
		ops.Row(HookRotate, admin("POST", hookPath+"/secret", []int{4014, 4406}, ops.Doc{
			EN: "Makes a new secret of a hook. For grace each call carries two signatures, of the new secret and of the one before.",
			ZH: "为 Hook 生成新密钥。在 grace 时间内每次调用同时带有新旧两个签名。",
		}), func(ctx context.Context, by skein.Actor, in adminapi.RotateHook) (adminapi.HookSecret, error) {
			grace, err := in.GraceTime()
			if err := cmp.Or(in.Check(), err); err != nil {
				return adminapi.HookSecret{}, err
			}
			h, secret, err := d.Hooks.Rotate(ctx, by, in.AppID, in.Hook, grace)
			return adminapi.HookSecretOf(h, secret, d.Operators.Now()), err
		}, func() (string, adminapi.HookSecret) {
			return `{"app_id":"shop","hook":"message","grace":3600}`, adminapi.HookSecretOf(exampleHook(), exampleSecret().Secret, then)
		}),
		ops.Row(HookDelete, admin("DELETE", hookPath, []int{4014, 4406}, ops.Doc{
			EN: "Removes a before-hook of an app. In force within 2 s on every node.", ZH: "移除应用的前置 Hook，2 秒内在所有节点生效。",
		}), func(ctx context.Context, by skein.Actor, in adminapi.OfHook) (ops.Done, error) {
			if err := in.Check(); err != nil {
				return ops.Done{}, err
			}
			return ops.Done{}, d.Hooks.Delete(ctx, by, in.AppID, in.Hook)
		}, func() (string, ops.Done) { return `{"app_id":"shop","hook":"message"}`, ops.Done{} }),
	}
}

func (d Deps) putHook(ctx context.Context, by skein.Actor, in adminapi.PutHook) (adminapi.HookSecret, error) {
	h, err := in.Asks()
	if err != nil {
		return adminapi.HookSecret{}, err
	}
	put, secret, err := d.Hooks.Put(ctx, by, in.AppID, h)
	return adminapi.HookSecretOf(put, secret, d.Operators.Now()), err
}

func exampleHook() skein.BeforeHook {
	return skein.BeforeHook{On: skein.BeforeMessage, URL: "https://shop.example.com/skein/before", Timeout: 300, Closed: true}
}
