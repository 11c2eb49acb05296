package rows

import "github.com/skein-im/skein"

// Listed reports whether a cursor is inside a listing, not at its start. A listing by activity
// would miss conversations that move to its top while a client pages through it. The cursor
// therefore keeps the stamp at which the listing began. At its end, the conversations that
// moved since then are listed once more, in the order of their keys, which never change.
// Conversations created meanwhile are left out, so the listing ends.
func Listed(after skein.Cursor) bool { return after.Tie != 0 || after.Again }
