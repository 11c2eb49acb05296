package wire

import (
	"github.com/go-json-experiment/json"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// Presence is whether one client is online.
type Presence struct {
	ClientID string      `json:"client_id" en:"the client; an unknown client counts as offline" zh:"用户 id；未知用户视为离线"`
	Online   strict.Flag `json:"online" en:"1: the client is online" zh:"在线为 1"`
	LastSeen *int64      `json:"last_seen" en:"when the client was last online, Unix ms; null: it is online, this is not known, or the app does not record it" zh:"最后在线时间，Unix 毫秒；在线、未知或应用未开启时为 null"`
	Devices  []string    `json:"devices" en:"types of its devices that are online" zh:"在线的设备类型"`
}

// PresenceOf writes a presence.
func PresenceOf(p skein.Presence) Presence {
	return Presence{ClientID: p.Client, Online: p.Devices != 0, LastSeen: moment(p.Seen), Devices: p.Devices.Words()}
}

// PresenceEvent is the data of presence.
type PresenceEvent struct {
	Clients []Presence `json:"clients" en:"the clients whose presence changed, as in presence.get" zh:"状态有变化的用户，格式同 presence.get"`
}

// AppendPresence appends the frame of presence.
func AppendPresence(dst []byte, list []skein.Presence) []byte {
	e := PresenceEvent{Clients: make([]Presence, 0, len(list))}
	for _, p := range list {
		e.Clients = append(e.Clients, PresenceOf(p))
	}
	data, _ := json.Marshal(e) // strings, integers and flags: it cannot fail
	dst = append(dst, `{"type":"`+skein.EventPresence+`","data":`...)
	return append(append(dst, data...), '}')
}
