package admin

import (
	"context"
	"errors"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// Operators lists all operators; see store.Admin.
func (s *Store) Operators(ctx context.Context) (all []skein.OperatorAccount, err error) {
	err = tx.Read(ctx, s.db, "", func(c connection) error {
		all, err = c.operators()
		return err
	})
	return all, err
}

// Operators implements store.AdminTx.
func (g group) Operators(context.Context) ([]skein.OperatorAccount, error) {
	return g.conn().operators()
}

func (c connection) operators() (all []skein.OperatorAccount, err error) {
	var broken error
	err = c.Rows(func(r *sqlite3.Stmt) {
		o := skein.OperatorAccount{Name: r.ColumnText(0), Created: engine.Millis(r, 3)}
		broken = errors.Join(broken, rows.Operator{Roles: r.ColumnRawText(1), Tokens: r.ColumnRawText(2)}.Decode(&o))
		all = append(all, o)
	}, `SELECT name, roles, tokens, created FROM operators ORDER BY name`)
	return all, errors.Join(err, broken)
}

// PutOperator implements store.AdminTx.
func (g group) PutOperator(_ context.Context, o skein.OperatorAccount) error {
	row, err := rows.EncodeOperator(o)
	if err != nil {
		return err
	}
	return g.Exec(`INSERT INTO operators (name, roles, tokens, created) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT (name) DO UPDATE SET roles = excluded.roles, tokens = excluded.tokens`,
		o.Name, engine.RawText(row.Roles), engine.RawText(row.Tokens), o.Created)
}

// RemoveOperator implements store.AdminTx.
func (g group) RemoveOperator(_ context.Context, name string) error {
	return g.Exec(`DELETE FROM operators WHERE name = ?1`, name)
}
