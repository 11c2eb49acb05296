package skein

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

// ID names a conversation or a message: 16 bytes, written as 32 lower-case
// hexadecimal digits. Message IDs are UUIDv7 (RFC 9562), so they sort by time.
type ID [16]byte

// errMalformedID is returned by ParseID for anything but 32 lower-case hex digits.
var errMalformedID = errors.New("an id is 32 lower-case hexadecimal digits")

// ParseID reads the 32 lower-case hexadecimal digits of an ID.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 2*len(id) {
		return ID{}, errMalformedID
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return ID{}, errMalformedID
		}
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return ID{}, errMalformedID
	}
	return id, nil
}

// NamedID is the ID of what a client names itself, such as a conversation by its
// client_conv_id: one name of one client of an app has one ID.
func NamedID(app, client, name string) (id ID) {
	sum := sha256.Sum256([]byte(app + "\x00" + client + "\x00" + name))
	copy(id[:], sum[:])
	return id
}

// IsZero reports whether the ID names nothing.
func (id ID) IsZero() bool { return id == ID{} }

// String is the 32 lower-case hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// UnmarshalText is ParseID.
func (id *ID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseID(string(text))
	return err
}

// AppendText appends the 32 digits to b and never fails.
func (id ID) AppendText(b []byte) ([]byte, error) { return hex.AppendEncode(b, id[:]), nil }
