package admin

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// Operators lists all operators; see store.Admin.
func (s *Store) Operators(ctx context.Context) (all []skein.OperatorAccount, err error) {
	err = s.db.Each(ctx, "", func(ctx context.Context, c tx.Conn) error {
		all, err = operators(ctx, c)
		return err
	})
	return all, err
}

// Operators implements store.AdminTx. It keeps other deeds from changing any operator, or from
// adding one.
func (t deedTx) Operators(ctx context.Context) ([]skein.OperatorAccount, error) {
	if err := t.lock(ctx, operatorsLock); err != nil {
		return nil, err
	}
	return operators(ctx, t.Conn)
}

func operators(ctx context.Context, c tx.Conn) ([]skein.OperatorAccount, error) {
	found, err := c.Query(ctx, `SELECT name, roles, tokens, created FROM operators ORDER BY name`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, func(r pgx.CollectableRow) (o skein.OperatorAccount, err error) {
		var row rows.Operator
		if err := r.Scan(&o.Name, &row.Roles, &row.Tokens, &o.Created); err != nil {
			return o, err
		}
		return o, row.Decode(&o)
	})
}

// PutOperator implements store.AdminTx.
func (t deedTx) PutOperator(ctx context.Context, o skein.OperatorAccount) error {
	row, err := rows.EncodeOperator(o)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `INSERT INTO operators (name, roles, tokens, created) VALUES ($1, $2, $3, $4)
		ON CONFLICT (name) DO UPDATE SET roles = excluded.roles, tokens = excluded.tokens`, o.Name, row.Roles, row.Tokens, o.Created)
	return err
}

// RemoveOperator implements store.AdminTx.
func (t deedTx) RemoveOperator(ctx context.Context, name string) error {
	_, err := t.Exec(ctx, `DELETE FROM operators WHERE name = $1`, name)
	return err
}
