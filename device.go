package skein

import "slices"

// DeviceType is what a client program runs on. The zero value is any other device.
type DeviceType uint8

// deviceTypes are the words of the wire.
var deviceTypes = [...]string{"other", "ios", "android", "web", "desktop", "mini"}

// ParseDeviceType reads a word of the wire; none at all is any other device.
func ParseDeviceType(word string) (t DeviceType, known bool) {
	if word == "" {
		return 0, true
	}
	i := slices.Index(deviceTypes[:], word)
	return DeviceType(max(i, 0)), i >= 0
}

// DeviceSet is the device types of a client that is online; zero: it is not.
type DeviceSet uint8

// With is the set and t.
func (s DeviceSet) With(t DeviceType) DeviceSet { return s | 1<<t }

// Words are the types in it in the words of the wire; never nil.
func (s DeviceSet) Words() []string {
	words := []string{}
	for t, word := range deviceTypes {
		if s&(1<<t) != 0 {
			words = append(words, word)
		}
	}
	return words
}

// String is the type in the words of the wire.
func (t DeviceType) String() string {
	if int(t) >= len(deviceTypes) {
		return deviceTypes[0] // of a newer node
	}
	return deviceTypes[t]
}
