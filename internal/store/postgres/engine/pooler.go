package engine

import (
	"errors"
	"maps"
	"net/url"
	"slices"
)

// A URL with pooler=transaction leads to PgBouncer, or another pooler, that gives a connection of
// the server to one transaction after the other. Then nothing may stay on a connection between
// two transactions: statements have no names, and each transaction makes its own settings.

// ofPooler takes the parameter pooler out of a URL, and reports whether it was there.
func ofPooler(raw string) (address string, pooled bool, err error) {
	u, err := url.Parse(raw)
	if err != nil || !u.Query().Has("pooler") {
		return raw, false, nil //nolint:nilerr // pgx says what is wrong with it
	}
	q := u.Query()
	if q.Get("pooler") != "transaction" {
		return "", false, errors.New("database: pooler: only transaction is known; session pooling needs no parameter")
	}
	q.Del("pooler")
	u.RawQuery = q.Encode()
	return u.String(), true, nil
}

// local are the statements that follow BEGIN in each transaction; none: the connection has the settings.
func (o Options) local() (sql []string) {
	if _, pooled, err := ofPooler(o.URL); err != nil || !pooled {
		return nil
	}
	settings := o.session()
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		sql = append(sql, `SET LOCAL `+name+` = '`+settings[name]+`'`)
	}
	return sql
}

// begin are the statements that begin a transaction: the given one, and the settings.
func (e *Engine) begin(statement string) []string { return append([]string{statement}, e.local...) }
