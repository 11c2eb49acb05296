package rows

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// Webhook holds the columns of a webhook that are JSON.
type Webhook struct{ Settings, Secrets []byte }

// webhookRecord is the settings of a webhook as stored.
type webhookRecord struct {
	URL       string           `json:"url"`
	Name      string           `json:"name,omitempty"`
	Events    []string         `json:"events,omitempty"`
	ConvTypes []skein.ConvType `json:"conv_types,omitempty"`
	Rate      int              `json:"rate,omitempty"`
	Batch     int              `json:"batch,omitempty"`
	Ordered   bool             `json:"ordered,omitempty"`
}

// secretRecord is one secret of a webhook as stored.
type secretRecord struct {
	Key     []byte       `json:"key"`
	Expires skein.Millis `json:"expires"`
}

// EncodeWebhook makes the columns that are JSON.
func EncodeWebhook(w skein.Webhook) (row Webhook, err error) {
	secrets := make([]secretRecord, 0, len(w.Secrets))
	for _, s := range w.Secrets {
		secrets = append(secrets, secretRecord(s))
	}
	if row.Settings, err = json.Marshal(webhookRecord(w.Settings)); err != nil {
		return row, fmt.Errorf("encode webhook: %w", err)
	}
	if row.Secrets, err = json.Marshal(secrets); err != nil {
		return row, fmt.Errorf("encode secrets of a webhook: %w", err)
	}
	return row, nil
}

// Decode fills the settings and the secrets of a webhook.
func (row Webhook) Decode(w *skein.Webhook) error {
	var settings webhookRecord
	if err := json.Unmarshal(row.Settings, &settings); err != nil {
		return fmt.Errorf("decode webhook %s: %w", w.ID, err)
	}
	w.Settings = skein.WebhookSettings(settings)
	var secrets []secretRecord
	if err := json.Unmarshal(row.Secrets, &secrets); err != nil {
		return fmt.Errorf("decode secrets of webhook %s: %w", w.ID, err)
	}
	for _, s := range secrets {
		w.Secrets = append(w.Secrets, skein.WebhookSecret(s))
	}
	return nil
}

// PlaceOf is a cursor as a webhook keeps it, without the epoch, so that it is good after a
// restore: a backup holds the same history up to it.
func PlaceOf(c store.FeedCursor) string {
	_, place, _ := strings.Cut(string(c), ".")
	return place
}

// CursorAt is the cursor of a place in an epoch.
func CursorAt(epoch int64, place string) store.FeedCursor {
	if place == "" {
		return store.FeedStart
	}
	return store.FeedCursor(fmt.Sprintf("%d.%s", epoch, place))
}

// entryRecord is an entry of the feed as a failed delivery keeps it.
type entryRecord struct {
	Kind    store.EntryKind     `json:"kind"`
	App     string              `json:"app"`
	At      skein.Millis        `json:"at"`
	Conv    []byte              `json:"conv,omitempty"`
	Seq     int64               `json:"seq,omitempty"`
	Change  int64               `json:"change,omitempty"`
	Message []byte              `json:"message,omitempty"`
	Client  string              `json:"client,omitempty"`
	Event   int64               `json:"event,omitempty"`
	Warning *skein.QuotaWarning `json:"warning,omitempty"`
	Places  []placeRecord       `json:"places,omitempty"`
	Clients []string            `json:"clients,omitempty"`
}

// placeRecord is how far a member has come, as stored.
type placeRecord struct {
	Client   string `json:"client"`
	Read     int64  `json:"read"`
	Received int64  `json:"received"`
}

func encodePlaces(places []skein.Position) (list []placeRecord) {
	for _, p := range places {
		list = append(list, placeRecord(p))
	}
	return list
}

func decodePlaces(list []placeRecord) (places []skein.Position) {
	for _, p := range list {
		places = append(places, skein.Position(p))
	}
	return places
}

func bytesOf(id skein.ID) []byte {
	if id.IsZero() {
		return nil
	}
	return id[:]
}

// EncodeEntries makes the column of a failed delivery.
func EncodeEntries(entries []store.Entry) ([]byte, error) {
	list := make([]entryRecord, 0, len(entries))
	for _, e := range entries {
		list = append(list, entryRecord{e.Kind, e.App, e.At, bytesOf(e.Conv), e.Seq, e.Change, bytesOf(e.Message), e.Client, e.Event, e.Warning, encodePlaces(e.Places), e.Clients})
	}
	raw, err := json.Marshal(list) //nolint:musttag // a warning is stored under its Go names
	if err != nil {
		return nil, fmt.Errorf("encode entries: %w", err)
	}
	return raw, nil
}

// DecodeEntries reads what EncodeEntries wrote.
func DecodeEntries(raw []byte) (entries []store.Entry, err error) {
	var list []entryRecord
	if err := json.Unmarshal(raw, &list); err != nil { //nolint:musttag // as above
		return nil, fmt.Errorf("decode entries: %w", err)
	}
	for _, r := range list {
		e := store.Entry{Kind: r.Kind, App: r.App, At: r.At, Seq: r.Seq, Change: r.Change, Client: r.Client, Event: r.Event, Warning: r.Warning, Places: decodePlaces(r.Places), Clients: r.Clients}
		copy(e.Conv[:], r.Conv)
		copy(e.Message[:], r.Message)
		entries = append(entries, e)
	}
	return entries, nil
}

// hookEventRecord is an event of an attempt as stored.
type hookEventRecord struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// EncodeHookEvents makes the column of an attempt.
func EncodeHookEvents(events []store.HookEvent) ([]byte, error) {
	list := make([]hookEventRecord, 0, len(events))
	for _, e := range events {
		list = append(list, hookEventRecord(e))
	}
	return json.Marshal(list)
}

// DecodeHookEvents reads what EncodeHookEvents wrote.
func DecodeHookEvents(raw []byte) (events []store.HookEvent, err error) {
	var list []hookEventRecord
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("decode events of an attempt: %w", err)
	}
	for _, e := range list {
		events = append(events, store.HookEvent(e))
	}
	return events, nil
}

// EventDetail is the last column of an event: the first of its clients, its places, or its warning.
func EventDetail(e store.Entry, clients []string) ([]byte, error) {
	switch e.Kind {
	case store.EntryQuotaWarning:
		return json.Marshal(e.Warning) //nolint:musttag // as above
	case store.EntryReceipts:
		return json.Marshal(encodePlaces(e.Places))
	}
	return MentionsJSON(clients), nil
}

// DecodeEventDetail reads what EventDetail wrote.
func DecodeEventDetail(e *store.Entry, raw []byte) error {
	if len(raw) == 0 {
		return nil
	}
	switch e.Kind {
	case store.EntryQuotaWarning:
		return json.Unmarshal(raw, &e.Warning) //nolint:musttag // as above
	case store.EntryReceipts:
		var list []placeRecord
		err := json.Unmarshal(raw, &list)
		e.Places = decodePlaces(list)
		return err
	}
	return json.Unmarshal(raw, &e.Clients)
}
