package request

import (
	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// Presence is the request of presence.get and presence.subscribe.
type Presence struct {
	ClientIDs []strict.ID `json:"client_ids" need:"1" en:"at most 500 clients" zh:"最多 500 个用户"`
}

// Clients checks the list and collapses duplicates. Errors: as ClientIDs.
func (r Presence) Clients(relaxed bool) ([]string, error) {
	return ClientIDs("client_ids", r.ClientIDs, skein.MaxPresence, relaxed)
}
