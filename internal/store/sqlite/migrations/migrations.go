// Package migrations holds the steps that lead to the schema of a store.
package migrations

import "embed"

// Files are the steps, in the order of their names. A migration that has landed is never
// edited: stores that ran it would not run it again. Its sum is kept beside it.
//
//go:generate ../../../../scripts/migrations.sh
//go:embed *.sql
var Files embed.FS
