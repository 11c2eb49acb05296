package adminrows

import (
	"cmp"
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/operators"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

// The ops on operators.
const (
	MeGet               ops.Call[adminapi.None, adminapi.Account]            = "me.get"
	MeTokenCreate       ops.Call[adminapi.NewToken, adminapi.IssuedToken]    = "me.token.create"
	MeTokenDelete       ops.Call[adminapi.Token, ops.Done]                   = "me.token.delete"
	OperatorCreate      ops.Call[adminapi.NewOperator, adminapi.IssuedToken] = operators.OpCreate
	OperatorList        ops.Call[adminapi.None, adminapi.Accounts]           = "operator.list"
	OperatorGet         ops.Call[adminapi.Operator, adminapi.Account]        = "operator.get"
	OperatorUpdate      ops.Call[adminapi.UpdateOperator, adminapi.Account]  = operators.OpUpdate
	OperatorDelete      ops.Call[adminapi.Operator, ops.Done]                = operators.OpDelete
	OperatorTokenCreate ops.Call[adminapi.NewTokenOf, adminapi.IssuedToken]  = operators.OpTokenCreate
	OperatorTokenDelete ops.Call[adminapi.TokenOf, ops.Done]                 = "operator.token.delete"
)

const (
	mePath        = "/me"
	operatorsPath = "/operators"
	operatorPath  = operatorsPath + "/{operator_name}"
	tokenPath     = "/tokens/{token_name}" //nolint:gosec // a path
)

func meOps(d Deps) []*ops.Op {
	return []*ops.Op{
		ops.Row(MeGet, row("GET", mePath, ops.ScopeAny, skein.OperatorReadOnly, []int{4014}, ops.Doc{
			EN: "Returns the operator who calls: its roles and the names of its tokens.",
			ZH: "返回调用者自己：角色与令牌名称。",
		}), func(ctx context.Context, by skein.Actor, _ adminapi.None) (adminapi.Account, error) {
			return d.account(ctx, by.Operator.Account.Name)
		}, func() (string, adminapi.Account) { return `{}`, exampleOwner() }),
		ops.Row(MeTokenCreate, row("POST", mePath+"/tokens", ops.ScopeAny, skein.OperatorReadOnly, []int{4001, 4013, 4014, 4130, 4406}, ops.Doc{
			EN: "Makes another token for the operator who calls. With replaces, an older token expires after grace: make the new one, put it into use, and the older one ends by itself. An operator has at most 20 tokens.",
			ZH: "为调用者创建新令牌。指定 replaces 时，旧令牌在 grace 之后失效：先换用新令牌，旧令牌到期自动失效。每个管理员最多 20 个令牌。",
		}), func(ctx context.Context, by skein.Actor, in adminapi.NewToken) (adminapi.IssuedToken, error) {
			return d.issue(ctx, by, string(MeTokenCreate), by.Operator.Account.Name, in)
		}, func() (string, adminapi.IssuedToken) {
			return `{"token_name":"laptop-2","replaces":"laptop","grace":3600}`, exampleToken("ann", "laptop-2")
		}),
		ops.Row(MeTokenDelete, row("DELETE", mePath+tokenPath, ops.ScopeAny, skein.OperatorReadOnly, []int{4014, 4406}, ops.Doc{
			EN: "Ends a token of the operator who calls, at once on the node that answers and within 2 s on every other.",
			ZH: "吊销调用者自己的令牌：在应答节点立即生效，其他节点 2 秒内生效。",
		}), func(ctx context.Context, by skein.Actor, in adminapi.Token) (ops.Done, error) {
			return d.endToken(ctx, by, string(MeTokenDelete), by.Operator.Account.Name, in.TokenName)
		}, func() (string, ops.Done) { return `{"token_name":"laptop"}`, ops.Done{} }),
	}
}

func operatorOps(d Deps) []*ops.Op {
	owner := func(method, path string, codes []int, doc ops.Doc) ops.Op {
		return row(method, path, ops.ScopeInstallation, skein.OperatorOwner, codes, doc)
	}
	return []*ops.Op{
		ops.Row(OperatorCreate, owner("POST", operatorsPath, []int{4001, 4013, 4130, 4406}, ops.Doc{
			EN: "Creates an operator with its roles and its first token. The answer is the only place where the token is shown. An installation has at most 1,000 operators.",
			ZH: "创建管理员及其角色和首个令牌。令牌只在此次返回中显示。一个安装最多 1,000 个管理员。",
		}), d.createOperator, func() (string, adminapi.IssuedToken) {
			return `{"operator_name":"bob","roles":[{"app_id":"shop","role":"admin"},{"app_id":null,"role":"read-only"}],"token_name":"ci","ttl":2592000}`, exampleToken("bob", "ci")
		}),
		ops.Row(OperatorList, row("GET", operatorsPath, ops.ScopeInstallation, skein.OperatorAdmin, []int{}, ops.Doc{
			EN: "Lists all operators.", ZH: "列出全部管理员。",
		}), func(ctx context.Context, _ skein.Actor, _ adminapi.None) (adminapi.Accounts, error) {
			all, err := d.Operators.List(ctx)
			answer := adminapi.Accounts{Data: make([]adminapi.Account, 0, len(all))}
			for _, o := range all {
				answer.Data = append(answer.Data, adminapi.AccountOf(o, d.Operators.Now()))
			}
			return answer, err
		}, func() (string, adminapi.Accounts) {
			return `{}`, adminapi.Accounts{Data: []adminapi.Account{exampleOwner(), exampleBob()}}
		}),
		ops.Row(OperatorGet, row("GET", operatorPath, ops.ScopeInstallation, skein.OperatorAdmin, []int{4014, 4406}, ops.Doc{
			EN: "Returns one operator.", ZH: "查询单个管理员。",
		}), func(ctx context.Context, _ skein.Actor, in adminapi.Operator) (adminapi.Account, error) {
			if err := adminapi.CheckName("operator_name", in.Name); err != nil {
				return adminapi.Account{}, err
			}
			return d.account(ctx, in.Name)
		}, func() (string, adminapi.Account) { return `{"operator_name":"bob"}`, exampleBob() }),
		ops.Row(OperatorUpdate, owner("PUT", operatorPath, []int{4001, 4013, 4014, 4406}, ops.Doc{
			EN: "Replaces the roles of an operator. In force within 2 s on every node. The installation keeps at least one owner: 4013 otherwise.",
			ZH: "整体替换管理员的角色，2 秒内在所有节点生效。安装至少保留一个 owner，否则返回 4013。",
		}), func(ctx context.Context, by skein.Actor, in adminapi.UpdateOperator) (adminapi.Account, error) {
			roles, err := adminapi.ParseRoles(in.Roles)
			if err := cmp.Or(adminapi.CheckName("operator_name", in.Name), err); err != nil {
				return adminapi.Account{}, err
			}
			o, err := d.Operators.Update(ctx, by, in.Name, roles)
			return adminapi.AccountOf(o, d.Operators.Now()), err
		}, func() (string, adminapi.Account) {
			bob := exampleBob()
			bob.Roles = bob.Roles[:1]
			return `{"operator_name":"bob","roles":[{"app_id":null,"role":"read-only"}]}`, bob
		}),
		ops.Row(OperatorTokenCreate, owner("POST", operatorPath+"/tokens", []int{4001, 4013, 4014, 4130, 4406}, ops.Doc{
			EN: "Makes another token for an operator, as me.token.create does for the caller.",
			ZH: "为指定管理员创建新令牌，规则同 me.token.create。",
		}), func(ctx context.Context, by skein.Actor, in adminapi.NewTokenOf) (adminapi.IssuedToken, error) {
			if err := adminapi.CheckName("operator_name", in.Name); err != nil {
				return adminapi.IssuedToken{}, err
			}
			return d.issue(ctx, by, string(OperatorTokenCreate), in.Name, in.NewToken)
		}, func() (string, adminapi.IssuedToken) {
			return `{"operator_name":"bob","token_name":"ci-2"}`, exampleToken("bob", "ci-2")
		}),
		ops.Row(OperatorTokenDelete, owner("DELETE", operatorPath+tokenPath, []int{4014, 4406}, ops.Doc{
			EN: "Ends a token of an operator, at once on the node that answers and within 2 s on every other.",
			ZH: "吊销指定管理员的令牌：在应答节点立即生效，其他节点 2 秒内生效。",
		}), func(ctx context.Context, by skein.Actor, in adminapi.TokenOf) (ops.Done, error) {
			if err := adminapi.CheckName("operator_name", in.Name); err != nil {
				return ops.Done{}, err
			}
			return d.endToken(ctx, by, string(OperatorTokenDelete), in.Name, in.TokenName)
		}, func() (string, ops.Done) { return `{"operator_name":"bob","token_name":"ci"}`, ops.Done{} }),
		ops.Row(OperatorDelete, owner("DELETE", operatorPath, []int{4013, 4014, 4406}, ops.Doc{
			EN: "Removes an operator with all its tokens. The last owner of the installation cannot be removed: 4013.",
			ZH: "移除管理员及其全部令牌。不能移除最后一个 owner（4013）。",
		}), func(ctx context.Context, by skein.Actor, in adminapi.Operator) (ops.Done, error) {
			if err := adminapi.CheckName("operator_name", in.Name); err != nil {
				return ops.Done{}, err
			}
			return ops.Done{}, d.Operators.Delete(ctx, by, in.Name)
		}, func() (string, ops.Done) { return `{"operator_name":"bob"}`, ops.Done{} }),
	}
}

// account is an operator as answered.
func (d Deps) account(ctx context.Context, name string) (adminapi.Account, error) {
	o, err := d.Operators.Get(ctx, name)
	return adminapi.AccountOf(o, d.Operators.Now()), err
}

func (d Deps) createOperator(ctx context.Context, by skein.Actor, in adminapi.NewOperator) (adminapi.IssuedToken, error) {
	if in.TokenName == "" {
		in.TokenName = "default"
	}
	roles, err := adminapi.ParseRoles(in.Roles)
	life, late := adminapi.Life(in.TTL)
	if err := cmp.Or(adminapi.CheckName("operator_name", in.Name), err, adminapi.CheckName("token_name", in.TokenName), late); err != nil {
		return adminapi.IssuedToken{}, err
	}
	made, err := d.Operators.Create(ctx, by, in.Name, roles, operators.Terms{Name: in.TokenName, Life: life})
	return issued(made), err
}

// issue makes a token of an operator.
func (d Deps) issue(ctx context.Context, by skein.Actor, op, operator string, in adminapi.NewToken) (adminapi.IssuedToken, error) {
	life, err := adminapi.Life(in.TTL)
	grace, late := adminapi.GraceTime(in.Grace)
	if err := cmp.Or(adminapi.CheckName("token_name", in.TokenName), err, late); err != nil {
		return adminapi.IssuedToken{}, err
	}
	if in.Replaces != "" {
		if err := adminapi.CheckName("replaces", in.Replaces); err != nil {
			return adminapi.IssuedToken{}, err
		}
	}
	made, err := d.Operators.CreateToken(ctx, by, op, operator, operators.Terms{Name: in.TokenName, Life: life, Replaces: in.Replaces, Grace: grace})
	return issued(made), err
}

func issued(i operators.Issued) adminapi.IssuedToken {
	return adminapi.IssuedToken{Name: i.Operator, TokenName: i.Name, Token: i.Token, Expires: int64(i.Expires)}
}

func (d Deps) endToken(ctx context.Context, by skein.Actor, op, operator, token string) (ops.Done, error) {
	if err := adminapi.CheckName("token_name", token); err != nil {
		return ops.Done{}, err
	}
	return ops.Done{}, d.Operators.DeleteToken(ctx, by, op, operator, token)
}
