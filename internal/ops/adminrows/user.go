package adminrows

import (
	"cmp"
	"context"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/operators"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

// The ops on users of apps.
const (
	SessionList ops.Call[adminapi.User, adminapi.UserSessions]     = "user.session.list"
	SessionEnd  ops.Call[adminapi.UserSession, ops.Done]           = operators.OpSessionEnd
	UserLogout  ops.Call[adminapi.LogoutUser, ops.Done]            = operators.OpUserLogout
	UserExport  ops.Call[adminapi.ExportUser, adminapi.UserExport] = operators.OpUserExport
	UserErase   ops.Call[adminapi.EraseUser, adminapi.Erasure]     = operators.OpUserErase
)

const (
	userPath     = appPath + "/users/{client_id}"
	sessionsPath = userPath + "/sessions"
)

func userOps(d Deps) []*ops.Op {
	return []*ops.Op{
		ops.Row(SessionList, row("GET", sessionsPath, ops.ScopeApp, skein.OperatorSupport, []int{211, 212, 4014, 4406}, ops.Doc{
			EN: "Lists the sessions of a user on all nodes.", ZH: "列出用户在所有节点上的连接。",
		}), func(ctx context.Context, _ skein.Actor, in adminapi.User) (adminapi.UserSessions, error) {
			if err := in.Check(); err != nil {
				return adminapi.UserSessions{}, err
			}
			all, err := d.Operators.Sessions(ctx, in.AppID, in.ClientID)
			return sessionsOf(all), err
		}, func() (string, adminapi.UserSessions) {
			return `{"app_id":"shop","client_id":"Tom"}`, adminapi.UserSessions{Data: []adminapi.UserSessionInfo{{SessionID: exampleSession, DeviceID: "phone1", DeviceType: "ios"}}}
		}),
		ops.Row(SessionEnd, row("DELETE", sessionsPath+"/{session_id}", ops.ScopeApp, skein.OperatorSupport, []int{211, 212, 4014, 4406}, ops.Doc{
			EN: "Ends one session, and logs its device out as user.logout with device_id does. 4014: the user has no such session any more.",
			ZH: "断开一个连接，并像指定 device_id 的 user.logout 那样使其设备下线。4014：该连接已不存在。",
		}), func(ctx context.Context, by skein.Actor, in adminapi.UserSession) (ops.Done, error) {
			if err := in.Check(); err != nil {
				return ops.Done{}, err
			}
			return ops.Done{}, d.Operators.EndSession(ctx, by, in.AppID, in.ClientID, in.SessionID)
		}, func() (string, ops.Done) {
			return `{"app_id":"shop","client_id":"Tom","session_id":"` + exampleSession + `"}`, ops.Done{}
		}),
		ops.Row(UserLogout, row("POST", userPath+"/logout", ops.ScopeApp, skein.OperatorSupport, []int{211, 212, 4001, 4014, 4406}, ops.Doc{
			EN: "Closes the connections of a user on every node, on one device or on all, and refuses the tokens that were issued until now: what user.logout of the app's backend does.",
			ZH: "强制用户下线：断开其在所有节点上一个或全部设备的连接，并使此前签发的 token 失效；效果同应用后端的 user.logout。",
		}), func(ctx context.Context, by skein.Actor, in adminapi.LogoutUser) (ops.Done, error) {
			device, err := in.Device()
			if err != nil {
				return ops.Done{}, err
			}
			return ops.Done{}, d.Operators.Logout(ctx, by, in.AppID, in.ClientID, device)
		}, func() (string, ops.Done) {
			return `{"app_id":"shop","client_id":"Tom","device_id":"phone1"}`, ops.Done{}
		}),
		ops.Row(UserExport, row("POST", userPath+"/export", ops.ScopeApp, skein.OperatorOwner, []int{211, 212, 4001, 4014, 4130, 4290, 4406}, ops.Doc{
			EN: "Returns what the app holds of a user, messages included: for a person who asks for their data. The records are those of skein export --client; docs/portable.md describes them. The audit log has the reason. The server searches the whole app, one export at a time on each node (4290). 4130: more than 20,000 records or 8 MiB; 5030: the app is too large for one call. skein export --client has no such bounds.",
			ZH: "返回应用保存的某用户的全部数据（含消息），用于响应用户的数据请求。记录格式同 skein export --client，见 docs/portable.md。原因记入审计日志。服务器需扫描整个应用，每个节点同时只进行一个导出（4290）。4130：超过 20,000 条记录或 8 MiB；5030：应用过大，无法在一次调用中完成。skein export --client 没有这些限制。",
		}), func(ctx context.Context, by skein.Actor, in adminapi.ExportUser) (adminapi.UserExport, error) {
			if err := in.Check(); err != nil {
				return adminapi.UserExport{}, err
			}
			return d.Operators.Export(ctx, by, in.AppID, in.ClientID, in.Reason)
		}, func() (string, adminapi.UserExport) {
			none := []jsontext.Value{}
			return `{"app_id":"shop","client_id":"Tom","reason":"ticket 4711"}`, adminapi.UserExport{
				Format: "skein-portable", Version: 1, Time: int64(then),
				Clients:       []jsontext.Value{[]byte(`{"client_id":"Tom","ctime":1789990000000}`)},
				Conversations: none, Members: none, Messages: none, Changes: none, Files: none,
			}
		}),
		ops.Row(UserErase, row("POST", userPath+"/erase", ops.ScopeApp, skein.OperatorAdmin, []int{211, 212, 4001, 4014, 4406}, ops.Doc{
			EN: "Deletes a user, and unless messages is keep erases what the user said, as user.delete of the app's backend does. This cannot be undone. The answer reports what went. Files go once nothing refers to them any more. If the call fails, repeat it.",
			ZH: "删除用户，并擦除其消息内容（messages=keep 时保留），效果同应用后端的 user.delete，不可恢复。返回被删除内容的报告。文件在不再被引用后移除。调用失败时请重试。",
		}), func(ctx context.Context, by skein.Actor, in adminapi.EraseUser) (adminapi.Erasure, error) {
			erase, err := in.Erase()
			if err != nil {
				return adminapi.Erasure{}, err
			}
			return d.Operators.Erase(ctx, by, in.AppID, in.ClientID, erase)
		}, func() (string, adminapi.Erasure) {
			return `{"app_id":"shop","client_id":"Tom"}`, adminapi.Erasure{Sessions: 1, Conversations: 3, Messages: 120, Reactions: 4, Complete: true}
		}),
	}
}

// exampleSession is the session of the examples.
const exampleSession = "0198a1b2c3d4e5f60718293a4b5c6d7e"

// sessionsOf writes the sessions of a user, the newest login first.
func sessionsOf(all []store.Session) adminapi.UserSessions {
	slices.SortFunc(all, func(a, b store.Session) int {
		return cmp.Or(-cmp.Compare(a.Generation, b.Generation), cmp.Compare(a.ID, b.ID))
	})
	out := adminapi.UserSessions{Data: []adminapi.UserSessionInfo{}}
	for _, s := range all {
		out.Data = append(out.Data, adminapi.UserSessionInfo{SessionID: s.ID, DeviceID: s.Device, DeviceType: s.DeviceType.String()})
	}
	return out
}
