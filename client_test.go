package skein

import (
	"slices"
	"testing"
)

func TestWhatEndsLoginsByAChangeOfAClient(t *testing.T) {
	cutAll := Cut{App: "shop", Client: "Tom", Reason: KickLoggedOut, Rev: 9}
	cutPad := cutAll
	cutPad.Device = "pad"
	banned, deleted := cutAll, cutAll
	banned.Reason, deleted.Reason = KickBanned, KickDeleted
	type cuts = map[string]Millis
	for name, tt := range map[string]struct {
		before, after Client
		want          []Cut
	}{
		"nothing that matters":           {Client{AddBy: AddByKnown}, Client{Ext: []byte(`1`)}, nil},
		"a ban":                          {Client{}, Client{BannedUntil: 5}, []Cut{banned}},
		"a longer ban":                   {Client{BannedUntil: 5}, Client{BannedUntil: Forever}, []Cut{banned}},
		"the end of a ban":               {Client{BannedUntil: Forever}, Client{}, nil},
		"a cut":                          {Client{Cut: 5}, Client{Cut: 6}, []Cut{cutAll}},
		"a cut after those of devices":   {Client{DeviceCuts: cuts{"pad": 5}}, Client{Cut: 6}, []Cut{cutAll}},
		"a cut of a device":              {Client{Cut: 3, DeviceCuts: cuts{"pad": 5, "tv": 4}}, Client{Cut: 3, DeviceCuts: cuts{"pad": 6, "tv": 4}}, []Cut{cutPad}},
		"the oldest of too many let in":  {Client{DeviceCuts: cuts{"tv": 4}}, Client{Cut: 4, DeviceCuts: cuts{"pad": 6}}, []Cut{cutPad}},
		"deleted, though banned as well": {Client{}, Client{Deleted: true, BannedUntil: 5}, []Cut{deleted}},
	} {
		tt.after.App, tt.after.ID, tt.after.Rev = "shop", "Tom", 9
		if got := CutsBetween(tt.before, tt.after); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
		}
	}
}
