package adminapi

import (
	"net/url"
	"reflect"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

func TestAnUpdateOfAWebhookTellsNullFromAbsent(t *testing.T) {
	was := skein.WebhookSettings{URL: "https://example.com/", Events: []string{skein.HookMessageSent}, ConvTypes: []skein.ConvType{skein.Group}, Rate: 7}
	for body, want := range map[string]skein.WebhookSettings{
		`{}`:                                     was,
		`{"events":null}`:                        {URL: was.URL, ConvTypes: was.ConvTypes, Rate: 7},
		`{"events":[],"conv_types":null}`:        {URL: was.URL, Rate: 7},
		`{"conv_types":[]}`:                      {URL: was.URL, Events: was.Events, Rate: 7},
		`{"conv_types":[1,3,1]}`:                 {URL: was.URL, Events: was.Events, ConvTypes: []skein.ConvType{skein.Private, skein.Group}, Rate: 7},
		`{"events":["user.banned"]}`:             {URL: was.URL, Events: []string{skein.HookUserBanned}, ConvTypes: was.ConvTypes, Rate: 7},
		`{"rate":8,"batch":2,"url":"http://b/"}`: {URL: "http://b/", Events: was.Events, ConvTypes: was.ConvTypes, Rate: 8, Batch: 2},
	} {
		got, enabled := was, true
		var in UpdateWebhook
		if err := strict.DecodeHTTP([]byte(body), nil, map[string]string{"app_id": "shop", "webhook_id": "w"}, &in); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if err := in.Apply(&got, &enabled); err != nil || !reflect.DeepEqual(got, want) || !enabled {
			t.Errorf("%s: got %+v, %v, %v, want %+v", body, got, enabled, err, want)
		}
	}
}

func TestAQueryAsksForDeadLettersOrForCallsThatWait(t *testing.T) {
	for query, want := range map[string]bool{"": true, "dead=1": true, "dead=true": true, "dead=0": false, "dead=false": false} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		var in ListFailed
		err = strict.DecodeHTTP(nil, values, map[string]string{"app_id": "shop", "webhook_id": "w"}, &in)
		if got := in.Dead == nil || bool(*in.Dead); err != nil || got != want {
			t.Errorf("?%s: got %v, %v, want %v", query, got, err, want)
		}
	}
}
