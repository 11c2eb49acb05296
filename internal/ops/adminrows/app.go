package adminrows

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/operators"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

// The ops on apps.
const (
	AppCreate    ops.Call[adminapi.NewApp, adminapi.IssuedApp]    = operators.OpAppCreate
	AppList      ops.Call[adminapi.ListApps, adminapi.Apps]       = "app.list"
	AppGet       ops.Call[adminapi.App, adminapi.AppView]         = "app.get"
	AppUpdate    ops.Call[adminapi.UpdateApp, adminapi.AppView]   = operators.OpAppUpdate
	AppDelete    ops.Call[adminapi.App, ops.Done]                 = operators.OpAppDelete
	AppKeyCreate ops.Call[adminapi.NewAppKey, adminapi.IssuedKey] = operators.OpKeyCreate
	AppKeyList   ops.Call[adminapi.App, adminapi.Keys]            = "app.key.list"
	AppKeyDelete ops.Call[adminapi.AppKey, ops.Done]              = operators.OpKeyDelete
)

const (
	appsPath = "/apps"
	appPath  = appsPath + "/{app_id}"
	keysPath = appPath + "/keys"
)

func appOps(d Deps) []*ops.Op {
	return []*ops.Op{
		ops.Row(AppCreate, row("POST", appsPath, ops.ScopeInstallation, skein.OperatorAdmin, []int{4001, 4013, 4406}, ops.Doc{
			EN: "Creates an app with its first key and its token secret. The answer is the only place where the key is shown. 4013: the app_id is taken, or was until a moment ago.",
			ZH: "创建应用及其首个密钥和令牌密钥。密钥只在此次返回中显示。4013：app_id 已被占用，或刚被删除。",
		}), d.createApp, func() (string, adminapi.IssuedApp) {
			return `{"app_id":"shop","name":"Shop","settings":{"send_rate":50}}`, adminapi.IssuedApp{
				AppView: exampleApp(), AppKey: "EXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAM", TokenSecret: "EXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEX",
			}
		}),
		ops.Row(AppList, row("GET", appsPath, ops.ScopeAny, skein.OperatorReadOnly, []int{4406}, ops.Doc{
			EN: "Lists the apps in which the caller has a role; with a role in the installation, all.",
			ZH: "列出调用者有角色的应用；在安装中有角色者可见全部。",
		}), d.listApps, func() (string, adminapi.Apps) {
			return `{}`, adminapi.Apps{Data: []adminapi.AppLine{{AppID: "shop", Name: "Shop", Created: int64(then), TokenAuth: true}}}
		}),
		ops.Row(AppGet, row("GET", appPath, ops.ScopeApp, skein.OperatorReadOnly, []int{4014, 4406}, ops.Doc{
			EN: "Returns one app with all its settings.", ZH: "查询单个应用及其全部设置。",
		}), func(ctx context.Context, _ skein.Actor, in adminapi.App) (adminapi.AppView, error) {
			if err := adminapi.CheckApp(in.AppID); err != nil {
				return adminapi.AppView{}, err
			}
			app, err := d.Operators.App(ctx, in.AppID)
			return adminapi.AppOf(app), err
		}, func() (string, adminapi.AppView) { return `{"app_id":"shop"}`, exampleApp() }),
		ops.Row(AppUpdate, row("PATCH", appPath, ops.ScopeApp, skein.OperatorAdmin, []int{4014, 4406}, ops.Doc{
			EN: "Changes the name or the settings that the request names, in force within 2 s on every node. Some settings need a greater role than the op; their texts say which. 4406 names the setting that is out of bounds; nothing is changed then.",
			ZH: "修改请求中给出的名称或设置，2 秒内在所有节点生效。部分设置需要更高的角色，见各自说明。4406 指出越界的设置，此时不做任何修改。",
		}), d.updateApp, func() (string, adminapi.AppView) {
			return `{"app_id":"shop","settings":{"send_rate":50}}`, exampleApp()
		}),
		ops.Row(AppDelete, row("DELETE", appPath, ops.ScopeApp, skein.OperatorOwner, []int{4014, 4406}, ops.Doc{
			EN: "Deletes an app with its clients, conversations, messages and files. This cannot be undone. Its sessions end within 2 s; what was stored is removed little by little, and until then its app_id cannot be taken again.",
			ZH: "删除应用及其用户、会话、消息与文件，不可恢复。其连接在 2 秒内断开；数据逐步清除，清除完成前 app_id 不可重新使用。",
		}), func(ctx context.Context, by skein.Actor, in adminapi.App) (ops.Done, error) {
			if err := adminapi.CheckApp(in.AppID); err != nil {
				return ops.Done{}, err
			}
			return ops.Done{}, d.Operators.DeleteApp(ctx, by, in.AppID)
		}, func() (string, ops.Done) { return `{"app_id":"shop"}`, ops.Done{} }),
	}
}

func keyOps(d Deps) []*ops.Op {
	return []*ops.Op{
		ops.Row(AppKeyCreate, row("POST", keysPath, ops.ScopeApp, skein.OperatorAdmin, []int{4001, 4013, 4014, 4130, 4406}, ops.Doc{
			EN: "Makes another key of an app. With replaces, an older key expires after grace: make the new one, put it into use, and the older one ends by itself. An app has at most 20 keys.",
			ZH: "为应用创建新密钥。指定 replaces 时，旧密钥在 grace 之后失效：先换用新密钥，旧密钥到期自动失效。每个应用最多 20 个密钥。",
		}), d.createKey, func() (string, adminapi.IssuedKey) {
			return `{"app_id":"shop","key_name":"backend-2","replaces":"default","grace":3600}`, adminapi.IssuedKey{AppID: "shop", KeyName: "backend-2", AppKey: "EXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAM"}
		}),
		ops.Row(AppKeyList, row("GET", keysPath, ops.ScopeApp, skein.OperatorAdmin, []int{4014, 4406}, ops.Doc{
			EN: "Lists the keys of an app.", ZH: "列出应用的密钥。",
		}), func(ctx context.Context, _ skein.Actor, in adminapi.App) (adminapi.Keys, error) {
			if err := adminapi.CheckApp(in.AppID); err != nil {
				return adminapi.Keys{}, err
			}
			app, uses, err := d.Operators.Keys(ctx, in.AppID)
			return adminapi.KeysOf(app, uses, d.Operators.Now()), err
		}, func() (string, adminapi.Keys) {
			end, used := int64(then.Add(exampleLife)), int64(then.Add(time.Hour))
			return `{"app_id":"shop"}`, adminapi.Keys{Data: []adminapi.KeyInfo{{KeyName: "default", Created: int64(then), Expires: &end, LastUsed: &used}, {KeyName: "backend-2", Created: int64(then)}}}
		}),
		ops.Row(AppKeyDelete, row("DELETE", keysPath+"/{key_name}", ops.ScopeApp, skein.OperatorAdmin, []int{4014, 4406}, ops.Doc{
			EN: "Ends a key of an app, within 2 s on every node.", ZH: "吊销应用的密钥，2 秒内在所有节点生效。",
		}), func(ctx context.Context, by skein.Actor, in adminapi.AppKey) (ops.Done, error) {
			if err := adminapi.CheckApp(in.AppID); err != nil {
				return ops.Done{}, err
			}
			return ops.Done{}, d.Operators.DeleteKey(ctx, by, in.AppID, in.KeyName)
		}, func() (string, ops.Done) { return `{"app_id":"shop","key_name":"default"}`, ops.Done{} }),
	}
}

func exampleApp() adminapi.AppView {
	return adminapi.AppOf(skein.App{ID: "shop", Name: "Shop", Created: then, Settings: skein.Settings{SendRate: 50, FileTypes: []string{"jpg", "png"}}})
}

func (d Deps) createApp(ctx context.Context, by skein.Actor, in adminapi.NewApp) (adminapi.IssuedApp, error) {
	name := cmp.Or(in.Name, in.AppID)
	change, err := in.Settings.Change()
	if err := cmp.Or(adminapi.CheckApp(in.AppID), adminapi.CheckAppName(name), err); err != nil {
		return adminapi.IssuedApp{}, err
	}
	made, err := d.Operators.CreateApp(ctx, by, in.AppID, name, change)
	return adminapi.IssuedApp{AppView: adminapi.AppOf(made.App), AppKey: made.Key, TokenSecret: string(made.App.TokenSecret)}, err
}

func (d Deps) listApps(ctx context.Context, by skein.Actor, in adminapi.ListApps) (adminapi.Apps, error) {
	limit, err := in.Page()
	if err != nil {
		return adminapi.Apps{}, err
	}
	all, err := d.Operators.Apps(ctx)
	all = slices.DeleteFunc(all, func(a skein.App) bool {
		return strings.Compare(a.ID, in.After) <= 0 || by.Operator.Account.RoleIn(a.ID) < skein.OperatorReadOnly
	})
	page := adminapi.Apps{Data: make([]adminapi.AppLine, 0, min(limit, len(all)))}
	for _, a := range all[:min(limit, len(all))] {
		page.Data = append(page.Data, adminapi.AppLineOf(a))
	}
	if len(all) > limit {
		page.NextAfter = &all[limit-1].ID
	}
	return page, err
}

func (d Deps) updateApp(ctx context.Context, by skein.Actor, in adminapi.UpdateApp) (adminapi.AppView, error) {
	change, err := in.Settings.Change()
	if err := cmp.Or(adminapi.CheckApp(in.AppID), err); err != nil {
		return adminapi.AppView{}, err
	}
	name := ""
	if in.Name != nil {
		if name = *in.Name; adminapi.CheckAppName(name) != nil {
			return adminapi.AppView{}, adminapi.CheckAppName(name)
		}
	}
	app, err := d.Operators.UpdateApp(ctx, by, in.AppID, name, change)
	return adminapi.AppOf(app), err
}

func (d Deps) createKey(ctx context.Context, by skein.Actor, in adminapi.NewAppKey) (adminapi.IssuedKey, error) {
	life, err := adminapi.KeyLife(in.TTL)
	grace, late := adminapi.GraceTime(in.Grace)
	if err := cmp.Or(adminapi.CheckApp(in.AppID), adminapi.CheckName("key_name", in.KeyName), err, late); err != nil {
		return adminapi.IssuedKey{}, err
	}
	made, plain, err := d.Operators.CreateKey(ctx, by, in.AppID, operators.KeyTerms{Name: in.KeyName, Life: life, Replaces: in.Replaces, Grace: grace})
	return adminapi.KeyOf(in.AppID, made, plain), err
}
