// Package adminrows holds the rows of the Admin API's op table: a surface of its own, which
// operators alone call.
package adminrows

import (
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/hooks"
	"github.com/skein-im/skein/internal/operators"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/webhooks"
)

// Prefix begins the path of every route of the Admin API.
const Prefix = "/admin"

// Deps are what the rows call.
type Deps struct {
	Operators *operators.Service
	Webhooks  *webhooks.Service
	Hooks     *hooks.Service
	Audit     ops.Audit // may be nil
}

// New is the op table over its use cases.
func New(deps Deps) *ops.Table {
	return ops.New(nil, deps.Audit, nil, slices.Concat(meOps(deps), sessionOps(deps), operatorOps(deps), appOps(deps), keyOps(deps), usageOps(deps), userOps(deps), webhookOps(deps), hookOps(deps), wordsOps(deps), auditOps(deps)))
}

// row completes an op with what all rows have.
func row(method, path string, scope ops.Scope, role skein.OperatorRole, codes []int, doc ops.Doc) ops.Op {
	return ops.Op{Method: method, Path: Prefix + path, Need: skein.NeedOperator, Scope: scope, Role: role, Codes: codes, Doc: doc}
}
