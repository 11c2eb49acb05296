package chat

import (
	"context"

	"github.com/skein-im/skein"
)

// Imported is what became of a client of ImportUsers: as CreateUser answers.
type Imported struct {
	Created bool
	Err     error
}

// ImportUsers registers clients, of which ID and Ext are used, each as CreateUser does. One that is
// refused keeps no other from being registered. After an error some may have been.
func (s *Service) ImportUsers(ctx context.Context, by skein.Actor, clients []skein.Client) ([]Imported, error) {
	now := s.now()
	for i := range clients {
		clients[i].App, clients[i].Created = by.App.ID, now
	}
	there, err := s.store.CreateClients(ctx, by.App.ID, clients)
	if err != nil {
		return nil, err
	}
	results := make([]Imported, len(there))
	for i, t := range there {
		results[i] = Imported{t.Created, otherExt(t.Client, t.Created, clients[i].Ext)}
	}
	return results, nil
}
