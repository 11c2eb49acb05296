package request

import (
	"math"
	"strings"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

func TestNullTakesAwayAndSilenceLeaves(t *testing.T) {
	for body, want := range map[string]MarkConversation{
		`{"conv_id":"c"}`:                      {ConvID: "c"},
		`{"conv_id":"c","draft":null}`:         {ConvID: "c", Draft: strict.GivenText{Given: true}},
		`{"conv_id":"c","draft":""}`:           {ConvID: "c", Draft: strict.GivenText{Given: true}},
		`{"conv_id":"c","draft":"a \"b\" \n"}`: {ConvID: "c", Draft: strict.GivenText{Given: true, Text: "a \"b\" \n"}},
	} {
		if got := decoded[MarkConversation](t, body); got != want {
			t.Errorf("%s: got %+v, want %+v", body, got, want)
		}
	}
	for body, want := range map[string]strict.GivenInt{
		`{"conv_id":"c","client_id":"a"}`:                                  {},
		`{"conv_id":"c","client_id":"a","mute_until":null}`:                {Given: true},
		`{"conv_id":"c","client_id":"a","mute_until":0}`:                   {Given: true},
		`{"conv_id":"c","client_id":"a","mute_until":9223372036854775807}`: {Given: true, Int: math.MaxInt64},
	} {
		if got := decoded[UpdateMember](t, body).MuteUntil; got != want {
			t.Errorf("%s: got %+v, want %+v", body, got, want)
		}
	}
	for _, body := range []string{
		`"draft":1`, `"draft":{}`, `"draft":["a"]`, `"draft":true`, `"mute_until":"1"`, `"mute_until":1.5`, `"mute_until":1e3`, `"mute_until":{}`,
		`"mute_until":9223372036854775808`, `"mute_until":true`,
	} {
		field, _, _ := strings.Cut(strings.Trim(body, `"`), `"`)
		both := struct {
			MarkConversation
			MuteUntil strict.GivenInt `json:"mute_until"`
		}{}
		checkFault(t, body, body, strict.Decode([]byte(`{"conv_id":"c",`+body+`}`), &both), skein.ErrMalformed, field)
	}
}

func TestWhatIsMarkedIsHeldToItsLimits(t *testing.T) {
	long := strings.Repeat("a", skein.MaxDraft)
	for name, tt := range map[string]struct {
		fields string
		want   error // nil: it is taken
		field  string
	}{
		"nothing":                 {``, skein.ErrMissing, ""},
		"nothing but null":        {`,"pin":null,"clear_to_seq":null`, skein.ErrMissing, ""},
		"a flag that is off":      {`,"mute":0`, nil, ""},
		"no draft":                {`,"draft":null`, nil, ""},
		"a draft of 4 KiB":        {`,"draft":"` + long + `"`, nil, ""},
		"a draft of a byte more":  {`,"draft":"` + long + `a"`, skein.ErrMalformed, "draft"},
		"cleared to the start":    {`,"clear_to_seq":0`, nil, ""},
		"cleared to before that":  {`,"clear_to_seq":-1`, skein.ErrMalformed, "clear_to_seq"},
		"cleared to the far away": {`,"clear_to_seq":9223372036854775807`, nil, ""},
	} {
		err := decoded[MarkConversation](t, `{"conv_id":"c"`+tt.fields+`}`).Given()
		checkFault(t, name, tt.fields, err, tt.want, tt.field)
	}
}

func TestWhatBecomesOfAMemberIsHeldToItsLimits(t *testing.T) {
	long := strings.Repeat("a", skein.MaxNickname)
	for name, tt := range map[string]struct {
		fields string
		want   error // nil: it is taken
		field  string
	}{
		"nothing":                   {``, skein.ErrMissing, ""},
		"a role":                    {`,"role":"admin"`, nil, ""},
		"a role that is none":       {`,"role":"king"`, skein.ErrMalformed, "role"},
		"a role in capitals":        {`,"role":"Admin"`, skein.ErrMalformed, "role"},
		"an empty role":             {`,"role":""`, skein.ErrMalformed, "role"},
		"a mute":                    {`,"mute_until":1700000000000`, nil, ""},
		"no mute":                   {`,"mute_until":null`, nil, ""},
		"a mute before all time":    {`,"mute_until":-1`, skein.ErrMalformed, "mute_until"},
		"a mute after all time":     {`,"mute_until":9223372036854775807`, skein.ErrMalformed, "mute_until"},
		"a nickname of 128 bytes":   {`,"nickname":"` + long + `"`, nil, ""},
		"a nickname of 129 bytes":   {`,"nickname":"` + long + `a"`, skein.ErrMalformed, "nickname"},
		"no nickname":               {`,"nickname":null`, nil, ""},
		"a role and a bad nickname": {`,"role":"member","nickname":"` + long + `a"`, skein.ErrMalformed, "nickname"},
	} {
		_, err := decoded[UpdateMember](t, `{"conv_id":"c","client_id":"a"`+tt.fields+`}`).Given()
		checkFault(t, name, tt.fields, err, tt.want, tt.field)
	}
	for _, want := range []skein.Role{skein.RoleMember, skein.RoleAdmin, skein.RoleOwner} {
		got, err := decoded[UpdateMember](t, `{"conv_id":"c","client_id":"a","role":"`+want.String()+`"}`).Given()
		if err != nil || got == nil || *got != want {
			t.Errorf("%s: got %v, %v", want, got, err)
		}
	}
}

func TestAPositionIsNotBelowTheStart(t *testing.T) {
	for body, ok := range map[string]bool{`{"conv_id":"c"}`: true, `{"conv_id":"c","seq":0}`: true, `{"conv_id":"c","seq":-1}`: false} {
		want := error(nil)
		if !ok {
			want = skein.ErrMalformed
		}
		_, err := decoded[MovePosition](t, body).To()
		checkFault(t, body, body, err, want, "seq")
	}
	for body, ok := range map[string]bool{`{"conv_id":"c"}`: true, `{"conv_id":"c","seq":1}`: true, `{"conv_id":"c","seq":0}`: false} {
		want := error(nil)
		if !ok {
			want = skein.ErrMalformed
		}
		_, err := decoded[ListReaders](t, body).Of()
		checkFault(t, body, body, err, want, "seq")
	}
}
