// Package rows holds what the engines of package store have in common about the rows that
// they keep: how a value of the domain is encoded in a column, and which rule of the contract
// decides about it. It knows no database.
package rows

import (
	"encoding/json"
	"fmt"

	"github.com/skein-im/skein"
)

// App holds the columns of an app that are JSON. Settings are kept under their Go names
// (TestStoredSettings in package sqlite holds them): one that is renamed needs a migration.
type App struct{ Keys, Settings []byte }

// keyRecord is one app key as stored.
type keyRecord struct {
	Name    string       `json:"name"`
	Hash    []byte       `json:"sha256"`
	Created skein.Millis `json:"created"`
	Expires skein.Millis `json:"expires"`
}

// EncodeApp makes the columns that are JSON.
func EncodeApp(app skein.App) (row App, err error) {
	keys := make([]keyRecord, 0, len(app.Keys))
	for _, k := range app.Keys {
		keys = append(keys, keyRecord{k.Name, k.Hash[:], k.Created, k.Expires})
	}
	if row.Keys, err = json.Marshal(keys); err != nil {
		return row, fmt.Errorf("encode app keys: %w", err)
	}
	if row.Settings, err = json.Marshal(app.Settings); err != nil { //nolint:musttag // the domain has no tags; TestStoredSettings holds the names
		return row, fmt.Errorf("encode app settings: %w", err)
	}
	return row, nil
}

// Decode fills the keys and the settings of an app.
func (row App) Decode(app *skein.App) error {
	var keys []keyRecord
	if err := json.Unmarshal(row.Keys, &keys); err != nil {
		return fmt.Errorf("decode keys of app %s: %w", app.ID, err)
	}
	for _, k := range keys {
		key := skein.AppKey{Name: k.Name, Created: k.Created, Expires: k.Expires}
		copy(key.Hash[:], k.Hash)
		app.Keys = append(app.Keys, key)
	}
	if err := json.Unmarshal(row.Settings, &app.Settings); err != nil { //nolint:musttag // as above
		return fmt.Errorf("decode settings of app %s: %w", app.ID, err)
	}
	return nil
}
