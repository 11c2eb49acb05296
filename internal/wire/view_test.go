package wire

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/skein-im/skein"
)

func TestWhatOneSeesIsWrittenAsDocumented(t *testing.T) {
	conv := skein.Conversation{App: "a", ID: skein.ID{1}, Type: skein.Group, Creator: "Tom", Members: 2, MuteAll: true, LastSeq: 9, Changes: 4, Created: 1608126111686}
	const head = `"conv_id":"01000000000000000000000000000000","conv_type":3,"client_num":2,"app_id":"a","conv_extend":null,` +
		`"conv_creater_id":"Tom","ctime":"2020-12-16 13:41:51","mtime":null,"ctime_ms":1608126111686,"mtime_ms":null,"last_seq":9,"last_change":4,"mute_all":1,"peer":null,`
	last := skein.Message{ID: skein.ID{2}, Conv: conv.ID, Seq: 9, Status: skein.StatusNormal, Body: skein.Body{Type: 1}}
	message, err := json.Marshal(MessageOf(&last))
	if err != nil {
		t.Fatal(err)
	}
	marked := skein.Member{
		Client: "Tom", Role: skein.RoleAdmin, Nickname: "T", JoinSeq: 3, MutedUntil: 7, ReadSeq: 4, ReceivedSeq: 6, SentSeq: 5,
		Marks: skein.Marks{Pinned: 1, Muted: true, Archived: true, Unread: true, Draft: "See"},
	}
	for name, tt := range map[string]struct {
		v    skein.View
		want string
	}{
		"nothing marked": {skein.View{Conversation: conv, Member: skein.Member{JoinSeq: 1}}, head +
			`"read_seq":0,"received_seq":0,"unread":9,"mentions":0,"join_seq":1,"floor_seq":0,"role":"member","nickname":null,"mute_until":null,` +
			`"pin":0,"mute":0,"archive":0,"unread_mark":0,"draft":null,"rights":{"send":0,"mention_all":0,"pin":0,"add":0,"remove":0,"set_role":0,"leave":0,"edit_info":0,"delete":0,"mute_all":0},` +
			`"last_message":null`},
		"all marked": {skein.View{Conversation: conv, Member: marked, Mentions: 2, Last: &last, Floor: 2,
			Rights: skein.Rights{Send: true, Pin: true, Remove: true, Leave: true, Delete: true}}, head +
			`"read_seq":5,"received_seq":6,"unread":4,"mentions":2,"join_seq":3,"floor_seq":2,"role":"admin","nickname":"T","mute_until":7,` +
			`"pin":1,"mute":1,"archive":1,"unread_mark":1,"draft":"See","rights":{"send":1,"mention_all":0,"pin":1,"add":0,"remove":1,"set_role":0,"leave":1,"edit_info":0,"delete":1,"mute_all":0},"last_message":` + string(message)},
	} {
		got, err := json.Marshal(ViewOf(&tt.v, time.UTC))
		if err != nil || string(got) != "{"+tt.want+"}" {
			t.Errorf("%s:\n got %s, %v\nwant {%s}", name, got, err, tt.want)
		}
	}
}

func TestNullTakesAwayAndSilenceLeaves(t *testing.T) {
	for body, want := range map[string]MarkConversation{
		`{"conv_id":"c"}`:                      {ConvID: "c"},
		`{"conv_id":"c","draft":null}`:         {ConvID: "c", Draft: GivenText{Given: true}},
		`{"conv_id":"c","draft":""}`:           {ConvID: "c", Draft: GivenText{Given: true}},
		`{"conv_id":"c","draft":"a \"b\" \n"}`: {ConvID: "c", Draft: GivenText{Given: true, Text: "a \"b\" \n"}},
	} {
		if got := decoded[MarkConversation](t, body); got != want {
			t.Errorf("%s: got %+v, want %+v", body, got, want)
		}
	}
	for body, want := range map[string]GivenInt{
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
			MuteUntil GivenInt `json:"mute_until"`
		}{}
		checkFault(t, body, body, Decode([]byte(`{"conv_id":"c",`+body+`}`), &both), skein.ErrMalformed, field)
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
