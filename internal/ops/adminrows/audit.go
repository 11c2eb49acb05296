package adminrows

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

// AuditList is the op on the audit log.
const AuditList ops.Call[adminapi.ListAudit, adminapi.Audit] = "audit.list"

func auditOps(d Deps) []*ops.Op {
	return []*ops.Op{
		ops.Row(AuditList, row("GET", "/audit", ops.ScopeApp, skein.OperatorSupport, []int{4290, 4406}, ops.Doc{
			EN: "Reads the audit log, newest first: every change that an operator made, by the Admin API or by a command. An entry is stored together with the change, and is never altered or removed. To export the log, follow next_before_seq to its end; to verify that nobody altered it in the database, run skein doctor.",
			ZH: "读取审计日志，由新到旧：管理员通过管理 API 或命令行所做的每一次变更。记录与变更在同一事务中写入，永不修改或删除。导出时沿 next_before_seq 翻页至末尾；要核验数据库中的日志未被篡改，请运行 skein doctor。",
		}), func(ctx context.Context, _ skein.Actor, in adminapi.ListAudit) (adminapi.Audit, error) {
			q, err := in.Query()
			if err != nil {
				return adminapi.Audit{}, err
			}
			deeds, err := d.Operators.Audit(ctx, q)
			return adminapi.AuditOf(deeds, q.Limit), err
		}, func() (string, adminapi.Audit) {
			return `{"op":"operator.create","limit":1}`, adminapi.AuditOf([]skein.Deed{exampleDeed()}, 1)
		}),
	}
}
