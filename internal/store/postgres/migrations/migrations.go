// Package migrations holds the steps that lead to the schema of a PostgreSQL store.
package migrations

import "embed"

// Files are the steps, in the order of their names. A migration that was part of a release is
// never edited: stores that ran it would not run it again.
//
//go:embed *.sql
var Files embed.FS
