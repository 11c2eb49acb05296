package tx

// Erasure is one line of the table: whose messages, and where it has come to, in the
// order of the conversations' ids.
type Erasure struct {
	Key    int64
	App    int64
	Client string
	// incarnation is the client's when it was deleted: what it said and reacted with
	// then, and before. It may have been created anew since.
	Incarnation int64
	Conv        []byte // id; empty: none yet
	Seq         int64  // in conv
	Done        bool   // nothing is left to look at
}

// MarkForErasure notes a deleted client.
func (g *Group) MarkForErasure(app, client string, incarnation int64) error {
	return g.Exec(`INSERT INTO erasures (app_key, client_id, incarnation) VALUES (`+AppKey+`, ?2, ?3)`, app, client, incarnation)
}
