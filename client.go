package skein

import (
	"slices"
	"strings"
)

// Client is an end user of one app.
type Client struct {
	App         string
	ID          string // see ValidClientID
	Rev         int64  // 1 when it is created; one more with every change, its deletion and return among them
	Incarnation int64  // 1; one more each time the deleted id is created anew: what another incarnation said is not the client's own
	Ext         []byte // any JSON value the developer keeps with the client; nil: none
	Created     Millis
	Updated     Millis // zero: never
	BannedUntil Millis // zero: not banned; Forever: without a term
	BanReason   string
	Cut         Millis // tokens issued at or before this moment are refused

	// DeviceCuts are cuts of single devices, by device_id: the newest
	// MaxDeviceCuts of them; what was before those is in Cut. nil: none.
	DeviceCuts map[string]Millis
	Seen       Millis // last online, where the app keeps that; zero: not known
	AddBy      AddBy  // who may add it to conversations
	Deleted    bool   // what is left of a deleted client: its id and its cut
}

// Banned reports whether the client is banned at the moment now.
func (c Client) Banned(now Millis) bool { return c.BannedUntil > now }

// MaxDeviceCuts bounds Client.DeviceCuts.
const MaxDeviceCuts = 100

// CutOf is the moment at or before which a token of the client is refused on a
// device.
func (c Client) CutOf(device string) Millis { return max(c.Cut, c.DeviceCuts[device]) }

// LastCut is the newest of all cuts: a token issued after it is refused on no device.
func (c Client) LastCut() Millis {
	last := c.Cut
	for _, cut := range c.DeviceCuts {
		last = max(last, cut)
	}
	return last
}

// CutsBetween is what ended logins of a client by a change: its deletion, a ban that
// ends later than the one before, a later Cut or DeviceCut. A Cut that only takes in
// the oldest of too many DeviceCuts ends none.
func CutsBetween(before, after Client) (cuts []Cut) {
	cut := Cut{App: after.App, Client: after.ID, Rev: after.Rev}
	switch {
	case after.Deleted:
		cut.Reason = KickDeleted
	case after.BannedUntil > before.BannedUntil:
		cut.Reason = KickBanned
	case after.Cut > before.LastCut():
		cut.Reason = KickLoggedOut
	}
	if cut.Reason != "" {
		return []Cut{cut}
	}
	for device, at := range after.DeviceCuts {
		if at > before.CutOf(device) {
			cut.Device, cut.Reason = device, KickLoggedOut
			cuts = append(cuts, cut)
		}
	}
	slices.SortFunc(cuts, func(a, b Cut) int { return strings.Compare(a.Device, b.Device) })
	return cuts
}

// MaxIDLength bounds client_id, device_id and client_msg_id, in characters.
const MaxIDLength = 64

// ValidClientID reports whether id is 1..64 of A–Z a–z 0–9, or of _ - . @ : too
// where the app's ids are relaxed.
func ValidClientID(id string, relaxed bool) bool {
	if id == "" || len(id) > MaxIDLength {
		return false
	}
	for i := range len(id) {
		if !alphanumeric(id[i]) && (!relaxed || !strings.ContainsRune("_-.@:", rune(id[i]))) {
			return false
		}
	}
	return true
}

// ValidAppID reports whether id is 1..64 of A–Z a–z 0–9 - _.
func ValidAppID(id string) bool {
	if id == "" || len(id) > MaxIDLength {
		return false
	}
	for i := range len(id) {
		if c := id[i]; !alphanumeric(c) && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
