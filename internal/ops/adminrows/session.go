package adminrows

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/operators"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

// MeSignOut is the op on the session of an operator who signed in at the provider.
const MeSignOut ops.Call[adminapi.None, ops.Done] = operators.OpSignOut

func sessionOps(d Deps) []*ops.Op {
	return []*ops.Op{
		ops.Row(MeSignOut, row("POST", "/sign-out", ops.ScopeAny, skein.OperatorReadOnly, []int{4014}, ops.Doc{
			EN: "Ends the session of the operator who calls, and removes its cookie: at once on the node that answers and within 2 s on every other. A browser begins a session with GET /admin/sign-in, where the installation has an OpenID Connect provider: it is sent to the provider and comes back with the cookie skein_session, which every call of the Admin API takes in place of a token. A session lasts 8 hours. Programs that follow redirects and keep cookies can sign in too. A token that is no session is answered 4014.",
			ZH: "结束调用者的会话并清除其 cookie：在应答节点立即生效，其他节点 2 秒内生效。安装配置了 OpenID Connect 提供方时，浏览器访问 GET /admin/sign-in 开始登录：跳转至提供方，返回后得到 cookie skein_session，管理 API 的所有调用都可用它代替令牌。会话有效 8 小时。能跟随重定向并保存 cookie 的程序也可以登录。若所用令牌不是会话，返回 4014。",
		}), func(ctx context.Context, by skein.Actor, _ adminapi.None) (ops.Done, error) {
			return ops.Done{}, d.Operators.SignOut(ctx, by)
		}, func() (string, ops.Done) { return `{}`, ops.Done{} }),
	}
}
