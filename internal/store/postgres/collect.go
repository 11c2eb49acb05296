package postgres

import "github.com/jackc/pgx/v5"

// collect reads the rows of a query that may have failed.
func collect[T any](found pgx.Rows, err error, read func(pgx.CollectableRow) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	return pgx.AppendRows([]T(nil), found, read)
}

// collectList reads the rows of a query of one column.
func collectList[T any](found pgx.Rows, err error) ([]T, error) {
	return collect(found, err, pgx.RowTo[T])
}

// collectMap reads the rows of a query of two columns: a key and its value.
func collectMap[K comparable, V any](found pgx.Rows, err error) (map[K]V, error) {
	if err != nil {
		return nil, err
	}
	defer found.Close()
	all := make(map[K]V)
	for found.Next() {
		var key K
		var value V
		if err := found.Scan(&key, &value); err != nil {
			return nil, err
		}
		all[key] = value
	}
	return all, found.Err()
}
