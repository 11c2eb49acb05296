package rows

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// EncodeCuts is the column of Client.DeviceCuts; nil: none.
func EncodeCuts(cuts map[string]skein.Millis) ([]byte, error) {
	if len(cuts) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(cuts)
	if err != nil {
		return nil, fmt.Errorf("encode device cuts: %w", err)
	}
	return text, nil
}

// DecodeCuts reads what EncodeCuts wrote.
func DecodeCuts(text []byte) map[string]skein.Millis {
	if len(text) == 0 {
		return nil
	}
	var cuts map[string]skein.Millis
	if err := json.Unmarshal(text, &cuts); err != nil {
		return nil // only EncodeCuts writes it
	}
	return cuts
}

// ClientEvents lists what the feed tells of a change of a client.
func ClientEvents(before, after skein.Client) (kinds []store.EntryKind) {
	for _, one := range []struct {
		happened bool
		kind     store.EntryKind
	}{
		{before.Cut != after.Cut || !maps.Equal(before.DeviceCuts, after.DeviceCuts), store.EntryClientLoggedOut},
		{after.BannedUntil > before.BannedUntil, store.EntryClientBanned},
		{after.BannedUntil < before.BannedUntil, store.EntryClientUnbanned},
		{!bytes.Equal(after.Ext, before.Ext) || after.AddBy != before.AddBy, store.EntryClientUpdated},
	} {
		if one.happened {
			kinds = append(kinds, one.kind)
		}
	}
	return kinds
}
