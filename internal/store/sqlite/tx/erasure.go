package tx

// Erasure is a row of table erasures: the deleted client whose messages are to be erased,
// and the position reached. It goes through the app's conversations by their ids.
type Erasure struct {
	Key    int64
	App    int64
	Client string
	// Incarnation is the client's when it was deleted. Only messages and reactions up to it
	// are erased: the client may have been created anew since.
	Incarnation int64
	Conv        []byte // id; empty: none yet
	Seq         int64  // in conv
	Done        bool   // no message is left
}

// MarkForErasure records that the messages of a deleted client are to be erased.
func (g *Group) MarkForErasure(app, client string, incarnation int64) error {
	return g.Exec(`INSERT INTO erasures (app_key, client_id, incarnation) VALUES (`+AppKey+`, ?2, ?3)`, app, client, incarnation)
}
