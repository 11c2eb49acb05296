package reference

import (
	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
)

// present is Jerry on two devices and Alex, who left.
var present = []skein.Presence{
	{Client: "Jerry", Devices: jerrysDevices()},
	{Client: "Alex", Seen: changed},
}

func jerrysDevices() (s skein.DeviceSet) {
	for _, word := range []string{"ios", "web"} {
		t, _ := skein.ParseDeviceType(word)
		s = s.With(t)
	}
	return s
}

var presenceNotes = map[string]notes{
	"presence.get": {
		codes:   []int{212, 4001, 4406},
		request: `{"client_ids":["Jerry","Alex"]}`,
		answer:  []wire.Presence{wire.PresenceOf(present[0]), wire.PresenceOf(present[1])},
	},
	"presence.subscribe": {
		codes:   []int{212, 4001, 4406},
		request: `{"client_ids":["Jerry","Alex"]}`,
		answer:  []wire.Presence{wire.PresenceOf(present[0]), wire.PresenceOf(present[1])},
	},
}
