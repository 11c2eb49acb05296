package request

import (
	"strings"
	"testing"

	"github.com/skein-im/skein"
)

func TestDecodeLogin(t *testing.T) {
	const documented = `{"device_id":"1111","app_id":"666666","client_id":"1111","ext":{"nickname": "liliSara"}}`
	in, err := DecodeLogin([]byte(documented))
	if err != nil || in.AppID != "666666" || in.ClientID != "1111" || in.DeviceID != "1111" || string(in.Ext) != `{"nickname":"liliSara"}` {
		t.Errorf("the documented login: got %+v, %v", in, err)
	}
	for name, tt := range map[string]struct {
		data  string
		want  error
		field string
	}{
		"nothing":                    {``, skein.ErrMissing, "app_id"},
		"no client":                  {`{"app_id":"a","device_id":"d"}`, skein.ErrMissing, "client_id"},
		"no device":                  {`{"app_id":"a","client_id":"c"}`, skein.ErrMissing, "device_id"},
		"a device of 65 characters":  {`{"app_id":"a","client_id":"c","device_id":"` + strings.Repeat("机", 65) + `"}`, skein.ErrMalformed, "device_id"},
		"a device with a line break": {`{"app_id":"a","client_id":"c","device_id":"a\nb"}`, skein.ErrMalformed, "device_id"},
		"a device type nobody knows": {`{"app_id":"a","client_id":"c","device_id":"d","device_type":"fridge"}`, skein.ErrMalformed, "device_type"},
		"a generation that is none":  {`{"app_id":"a","client_id":"c","device_id":"d","resume":1,"generation":"7"}`, skein.ErrMalformed, "generation"},
		"a resume that is no flag":   {`{"app_id":"a","client_id":"c","device_id":"d","resume":2}`, skein.ErrMalformed, "resume"},
		"an ext that is too long":    {`{"app_id":"a","client_id":"c","device_id":"d","ext":"` + strings.Repeat("a", 16<<10) + `"}`, skein.ErrMalformed, "ext"},
		"a token that is no text":    {`{"app_id":"a","client_id":"c","device_id":"d","token":7}`, skein.ErrMalformed, "token"},
	} {
		_, err := DecodeLogin([]byte(tt.data))
		checkFault(t, name, tt.data, err, tt.want, tt.field)
	}
	if _, err := DecodeLogin([]byte(`{"app_id":1,"client_id":2,"device_id":"` + strings.Repeat("机", 64) + `"}`)); err != nil {
		t.Errorf("a device of 64 characters: got %v", err)
	}
}
