// Package adminapi has the requests and answers of the Admin API. It has no behaviour beyond
// the checks of single fields.
package adminapi

import (
	"time"

	"github.com/skein-im/skein"
)

// Terms of tokens.
const (
	DefaultTokenLife = 90 * 24 * time.Hour
	MaxTokenLife     = 365 * 24 * time.Hour
	MaxTokenGrace    = 30 * 24 * time.Hour
)

// None is the request of an op without fields.
type None struct{}

// Role is a role in a request and in an answer.
type Role struct {
	AppID *string `json:"app_id" en:"the app in which the role holds; null: the installation with all its apps" zh:"角色所在的应用；null 表示整个安装及其全部应用"`
	Role  string  `json:"role" en:"read-only, support, admin or owner" zh:"read-only、support、admin 或 owner"`
}

// NewOperator is the request of operator.create.
type NewOperator struct {
	Name      string `json:"operator_name" need:"1" en:"1..64 of A-Z a-z 0-9 - _ . @" zh:"1..64 个 A-Z a-z 0-9 - _ . @"`
	Roles     []Role `json:"roles" need:"1" en:"1..100 roles, one for each app" zh:"1..100 个角色，每个应用一个"`
	TokenName string `json:"token_name" en:"name of the first token; absent: default" zh:"首个令牌的名称；省略为 default"`
	TTL       *int64 `json:"ttl" en:"seconds until the token expires, 60 to 31536000; absent: 90 days" zh:"令牌有效秒数，60 至 31536000；省略为 90 天"`
}

// Operator names one operator.
type Operator struct {
	Name string `json:"operator_name" need:"1" en:"the operator" zh:"管理员名称"`
}

// UpdateOperator is the request of operator.update.
type UpdateOperator struct {
	Name  string `json:"operator_name" need:"1" en:"the operator" zh:"管理员名称"`
	Roles []Role `json:"roles" need:"1" en:"replaces all roles; 1..100, one for each app" zh:"整体替换；1..100 个角色，每个应用一个"`
}

// NewToken is the request of me.token.create.
type NewToken struct {
	TokenName string `json:"token_name" need:"1" en:"1..64 of A-Z a-z 0-9 - _ . @" zh:"1..64 个 A-Z a-z 0-9 - _ . @"`
	TTL       *int64 `json:"ttl" en:"seconds until the token expires, 60 to 31536000; absent: 90 days" zh:"令牌有效秒数，60 至 31536000；省略为 90 天"`
	Replaces  string `json:"replaces" en:"name of an older token that expires after grace; absent: none" zh:"被替换的旧令牌名称，于 grace 后失效；省略为无"`
	Grace     *int64 `json:"grace" en:"seconds that the older token stays valid, 0 to 2592000; absent: 1 day" zh:"旧令牌继续有效的秒数，0 至 2592000；省略为 1 天"`
}

// NewTokenOf is the request of operator.token.create.
type NewTokenOf struct {
	Name string `json:"operator_name" need:"1" en:"the operator" zh:"管理员名称"`

	NewToken
}

// Token names a token of the caller.
type Token struct {
	TokenName string `json:"token_name" need:"1" en:"the token" zh:"令牌名称"`
}

// TokenOf names a token of an operator.
type TokenOf struct {
	Name      string `json:"operator_name" need:"1" en:"the operator" zh:"管理员名称"`
	TokenName string `json:"token_name" need:"1" en:"the token" zh:"令牌名称"`
}

// Account is one operator as answered.
type Account struct {
	Name    string      `json:"operator_name" en:"the operator" zh:"管理员名称"`
	Roles   []Role      `json:"roles" en:"the roles, by app" zh:"角色，按应用排序"`
	Tokens  []TokenInfo `json:"tokens" en:"the tokens, oldest first; expired ones are left out" zh:"令牌，按创建先后；不含已过期的"`
	Created int64       `json:"created" en:"Unix ms" zh:"创建时间，Unix 毫秒"`
}

// TokenInfo is one token as answered, without its secret.
type TokenInfo struct {
	TokenName string `json:"token_name" en:"the token" zh:"令牌名称"`
	Created   int64  `json:"created" en:"Unix ms" zh:"创建时间，Unix 毫秒"`
	Expires   int64  `json:"expires" en:"Unix ms" zh:"过期时间，Unix 毫秒"`
}

// IssuedToken is a new token.
type IssuedToken struct {
	Name      string `json:"operator_name" en:"the operator" zh:"管理员名称"`
	TokenName string `json:"token_name" en:"the token" zh:"令牌名称"`
	Token     string `json:"token" en:"the token itself; the server keeps only its hash and cannot show it again" zh:"令牌本身；服务器只保存其哈希，无法再次显示"`
	Expires   int64  `json:"expires" en:"Unix ms" zh:"过期时间，Unix 毫秒"`
}

// Accounts is the answer of operator.list.
type Accounts struct {
	Data []Account `json:"data" en:"all operators, by name" zh:"全部管理员，按名称排序"`
}

// AccountOf writes an operator.
func AccountOf(o skein.OperatorAccount, now skein.Millis) Account {
	a := Account{Name: o.Name, Roles: RolesOf(o.Roles), Tokens: []TokenInfo{}, Created: int64(o.Created)}
	for _, t := range o.Tokens {
		if t.Expires > now {
			a.Tokens = append(a.Tokens, TokenInfo{t.Name, int64(t.Created), int64(t.Expires)})
		}
	}
	return a
}

// RolesOf writes roles.
func RolesOf(roles []skein.OperatorIn) []Role {
	list := make([]Role, 0, len(roles))
	for _, r := range roles {
		role := Role{Role: r.Role.String()}
		if r.App != "" {
			role.AppID = &r.App
		}
		list = append(list, role)
	}
	return list
}

// ParseRoles checks roles. Errors: skein.ErrMalformed naming the field.
func ParseRoles(roles []Role) ([]skein.OperatorIn, error) {
	if len(roles) == 0 {
		return nil, skein.Malformed("roles", "must not be empty")
	}
	if len(roles) > skein.MaxOperatorRoles {
		return nil, skein.Malformed("roles", "at most 100")
	}
	seen := make(map[string]bool, len(roles))
	list := make([]skein.OperatorIn, 0, len(roles))
	for _, r := range roles {
		app := ""
		if r.AppID != nil {
			if app = *r.AppID; !skein.ValidAppID(app) {
				return nil, skein.Malformed("roles.app_id", "must be 1 to 64 of A-Z a-z 0-9 - _, or null")
			}
		}
		role, known := skein.ParseOperatorRole(r.Role)
		if !known {
			return nil, skein.Malformed("roles.role", "must be read-only, support, admin or owner")
		}
		if seen[app] {
			return nil, skein.Malformed("roles.app_id", "duplicate")
		}
		seen[app] = true
		list = append(list, skein.OperatorIn{App: app, Role: role})
	}
	return list, nil
}

// CheckName checks the name of an operator or of a token. Errors: skein.ErrMalformed.
func CheckName(field, name string) error {
	if !skein.ValidOperatorName(name) {
		return skein.Malformed(field, "must be 1 to 64 of A-Z a-z 0-9 - _ . @")
	}
	return nil
}

// Life checks how long a token is to live. Errors: skein.ErrMalformed.
func Life(ttl *int64) (time.Duration, error) {
	if ttl == nil {
		return DefaultTokenLife, nil
	}
	if *ttl < 60 || *ttl > int64(MaxTokenLife/time.Second) {
		return 0, skein.Malformed("ttl", "must be 60 seconds to 365 days")
	}
	return time.Duration(*ttl) * time.Second, nil
}

// GraceTime checks how long an older token stays valid. Errors: skein.ErrMalformed.
func GraceTime(grace *int64) (time.Duration, error) {
	if grace == nil {
		return 24 * time.Hour, nil
	}
	if *grace < 0 || *grace > int64(MaxTokenGrace/time.Second) {
		return 0, skein.Malformed("grace", "must be 0 seconds to 30 days")
	}
	return time.Duration(*grace) * time.Second, nil
}
