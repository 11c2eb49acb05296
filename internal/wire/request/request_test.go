package request

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/strict"
)

// decoded reads a request, which must be well formed.
func decoded[T any](t *testing.T, body string) T {
	t.Helper()
	var in T
	if err := strict.Decode([]byte(body), &in); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return in
}

func TestAMessageIsHeldToItsLimits(t *testing.T) {
	list := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat(`"a1",`, n), ",") + "]" }
	for name, tt := range map[string]struct {
		fields string
		want   error // nil: it is taken
		field  string
	}{
		"a text":                        {`"type":-1,"text":"hi"`, nil, ""},
		"a text of 16 KiB":              {`"type":-1,"text":"` + strings.Repeat("a", 16<<10) + `"`, nil, ""},
		"a text of one byte more":       {`"type":-1,"text":"` + strings.Repeat("a", 16<<10+1) + `"`, skein.ErrMalformed, "text"},
		"a text without text":           {`"type":-1`, skein.ErrMissing, "text"},
		"a blank text":                  {`"type":-1,"text":" \t\n\u3000"`, skein.ErrMissing, "text"},
		"a picture":                     {`"type":-2,"url":"http://a/b"`, nil, ""},
		"a picture without its place":   {`"type":-2`, skein.ErrMissing, "url"},
		"a voice without its place":     {`"type":-3`, skein.ErrMissing, "url"},
		"a film without its place":      {`"type":-4`, skein.ErrMissing, "url"},
		"a spot on the map needs none":  {`"type":-5`, nil, ""},
		"a file without its place":      {`"type":-6`, skein.ErrMissing, "url"},
		"a type of one's own":           {`"type":1`, nil, ""},
		"the largest type":              {`"type":2147483647`, nil, ""},
		"one larger":                    {`"type":2147483648`, skein.ErrMalformed, "type"},
		"type 0":                        {`"type":0`, skein.ErrMalformed, "type"},
		"type -7":                       {`"type":-7`, skein.ErrMalformed, "type"},
		"a place of 2 KiB":              {`"type":1,"url":"` + strings.Repeat("a", 2<<10) + `"`, nil, ""},
		"a place of one byte more":      {`"type":1,"url":"` + strings.Repeat("a", 2<<10+1) + `"`, skein.ErrMalformed, "url"},
		"an attr of 16 KiB":             {`"type":1,"attr":"` + strings.Repeat("a", 16<<10-2) + `"`, nil, ""},
		"an attr of one byte more":      {`"type":1,"attr":"` + strings.Repeat("a", 16<<10-1) + `"`, skein.ErrMalformed, "attr"},
		"an attr that is long in space": {`"type":1,"attr":[` + strings.Repeat(" ", 20<<10) + `]`, nil, ""},
		"a hundred mentions":            {`"type":1,"mention_client_ids":` + list(100), nil, ""},
		"a hundred and one":             {`"type":1,"mention_client_ids":` + list(101), skein.ErrMalformed, "mention_client_ids"},
		"a mention of nobody":           {`"type":1,"mention_client_ids":["a","b!"]`, skein.ErrInvalidClientID, "mention_client_ids.1"},
		"an id of one's own":            {`"type":1,"client_msg_id":"` + strings.Repeat("消", 64) + `"`, nil, ""},
		"an id that is too long":        {`"type":1,"client_msg_id":"` + strings.Repeat("消", 65) + `"`, skein.ErrMalformed, "client_msg_id"},
		"an id with a control":          {`"type":1,"client_msg_id":"a\u0001"`, skein.ErrMalformed, "client_msg_id"},
		"a device that is too long":     {`"type":1,"device_id":"` + strings.Repeat("a", 65) + `"`, skein.ErrMalformed, "device_id"},
		"an answer to no message":       {`"type":1,"reply_to":"abc"`, skein.ErrUnknownMessage, "reply_to"},
		"an answer":                     {`"type":1,"reply_to":"01020300000000000000000000000000"`, nil, ""},
	} {
		body, err := decoded[SendMessage](t, `{"conv_id":"c",`+tt.fields+`}`).Body(false)
		if tt.want == nil {
			if err != nil {
				t.Errorf("%s: got %v, want it taken as %+v", name, err, body)
			}
			continue
		}
		checkFault(t, name, tt.fields, err, tt.want, tt.field)
	}
}

func TestAMessageIsReadWhole(t *testing.T) {
	in := decoded[SendMessage](t, `{"conv_id":"c","from_client":2,"type":-2,"text":"t","attr":{ "a" : 1 },"url":"http://u","transient":"1",
		"no_sync":1,"mention_all":true,"mention_client_ids":["Tom",2,"Tom"],"reply_to":"01020300000000000000000000000000"}`)
	got, err := in.Body(false)
	want := skein.Body{
		Type: -2, Text: "t", Attr: []byte(`{"a":1}`), URL: "http://u", Transient: true, NoSync: true, MentionAll: true,
		Mentions: []string{"Tom", "2"}, ReplyTo: skein.ID{1, 2, 3},
	}
	if err != nil || string(got.Attr) != string(want.Attr) || !slices.Equal(got.Mentions, want.Mentions) {
		t.Fatalf("got %+v, %v; want %+v", got, err, want)
	}
	got.Attr, got.Mentions, want.Attr, want.Mentions = nil, nil, nil, nil
	if got.Type != want.Type || got.Text != want.Text || got.URL != want.URL || got.ReplyTo != want.ReplyTo ||
		!got.Transient || !got.NoSync || !got.MentionAll {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestListMessagesBySeq(t *testing.T) {
	for name, tt := range map[string]struct {
		fields string
		bySeq  bool
		want   skein.SeqRange
		field  string // of the fault
	}{
		"neither":        {`"page":2`, false, skein.SeqRange{Limit: 50}, ""},
		"after":          {`"after_seq":0`, true, skein.SeqRange{Limit: 50}, ""},
		"after, limited": {`"after_seq":7,"limit":200`, true, skein.SeqRange{After: 7, Limit: 200}, ""},
		"before":         {`"before_seq":1`, true, skein.SeqRange{Before: 1, Limit: 50, Newest: true}, ""},
		"both":           {`"after_seq":1,"before_seq":9`, false, skein.SeqRange{}, "before_seq"},
		"after below 0":  {`"after_seq":-1`, false, skein.SeqRange{}, "after_seq"},
		"before below 1": {`"before_seq":0`, false, skein.SeqRange{}, "before_seq"},
		"a limit of 0":   {`"after_seq":1,"limit":0`, false, skein.SeqRange{}, "limit"},
		"a limit of 201": {`"after_seq":1,"limit":201`, false, skein.SeqRange{}, "limit"},
	} {
		bySeq, got, err := decoded[ListMessages](t, `{"conv_id":"c",`+tt.fields+`}`).BySeq()
		if tt.field != "" {
			checkFault(t, name, tt.fields, err, skein.ErrMalformed, tt.field)
		} else if err != nil || bySeq != tt.bySeq || got != tt.want {
			t.Errorf("%s: got %v %+v, %v; want %v %+v", name, bySeq, got, err, tt.bySeq, tt.want)
		}
	}
}

func TestAConversationIsDrafted(t *testing.T) {
	for name, tt := range map[string]struct {
		fields string
		want   error
		field  string
		ttl    time.Duration
		extend string
	}{
		"a group":                 {`"conv_type":3`, nil, "", 0, ""},
		"with an extension":       {`"conv_type":3,"conv_extend":{ "a" : [1] }`, nil, "", 0, `{"a":[1]}`},
		"with null for one":       {`"conv_type":3,"conv_extend":null`, nil, "", 0, ""},
		"a temporary one":         {`"conv_type":2`, nil, "", 7 * 24 * time.Hour, ""},
		"one for a second":        {`"conv_type":2,"ttl":1`, nil, "", time.Second, ""},
		"one for a year":          {`"conv_type":2,"ttl":31536000`, nil, "", 365 * 24 * time.Hour, ""},
		"one for longer":          {`"conv_type":2,"ttl":31536001`, skein.ErrMalformed, "ttl", 0, ""},
		"one for no time":         {`"conv_type":2,"ttl":0`, skein.ErrMalformed, "ttl", 0, ""},
		"a time for a group":      {`"conv_type":3,"ttl":60`, skein.ErrMalformed, "ttl", 0, ""},
		"type 0":                  {`"conv_type":0`, skein.ErrConvType, "conv_type", 0, ""},
		"type 5":                  {`"conv_type":5`, skein.ErrConvType, "conv_type", 0, ""},
		"type 257, which is no 1": {`"conv_type":257`, skein.ErrConvType, "conv_type", 0, ""},
		"an extension of 16 KiB":  {`"conv_type":3,"conv_extend":"` + strings.Repeat("a", 16<<10-2) + `"`, nil, "", 0, `"` + strings.Repeat("a", 16<<10-2) + `"`},
		"an extension of more":    {`"conv_type":3,"conv_extend":"` + strings.Repeat("a", 16<<10-1) + `"`, skein.ErrMalformed, "conv_extend", 0, ""},
	} {
		got, err := decoded[CreateConversation](t, `{"to_client_ids":["a"],`+tt.fields+`}`).Draft()
		if tt.want != nil {
			checkFault(t, name, tt.fields, err, tt.want, tt.field)
		} else if err != nil || got.TTL != tt.ttl || string(got.Extend) != tt.extend {
			t.Errorf("%s: got %v %.40q, %v; want %v %.40q", name, got.TTL, got.Extend, err, tt.ttl, tt.extend)
		}
	}
}

func TestAnUpdateHoldsTheExtensionAlone(t *testing.T) {
	for update, want := range map[string]string{
		`{"conv_extend":{"a": 1}}`: `{"a":1}`, `{"conv_extend":null}`: ``, `{"conv_extend":[]}`: `[]`,
	} {
		got, err := UpdateConversations{Update: jsontext.Value(update)}.Extend()
		if err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v; want %s", update, got, err, want)
		}
	}
	for _, update := range []string{`{}`, `{"conv_extend":1,"conv_type":2}`, `{"conv_type":2}`, `[]`, `null`, `"a"`} {
		if _, err := (UpdateConversations{Update: jsontext.Value(update)}).Extend(); wire.CodeOf(err).Code != 4406 {
			t.Errorf("%s: got %v, want 4406", update, err)
		}
	}
}

func TestClientIDsCollapseInOrder(t *testing.T) {
	got, err := ClientIDs("client_ids", []strict.ID{"b", "a", "b", "2"}, 4, false)
	if err != nil || !slices.Equal(got, []string{"b", "a", "2"}) {
		t.Errorf("got %q, %v", got, err)
	}
	_, err = ClientIDs("client_ids", []strict.ID{"a", "b"}, 1, false)
	checkFault(t, "too many", "", err, skein.ErrMalformed, "client_ids")
	_, err = ClientIDs("client_ids", []strict.ID{"a", "b.c"}, 2, false)
	checkFault(t, "a dot", "", err, skein.ErrInvalidClientID, "client_ids.1")
	if _, err = ClientIDs("client_ids", []strict.ID{"a", "b.c"}, 2, true); err != nil {
		t.Errorf("a dot where they are relaxed: got %v", err)
	}
}

func TestTheUsersAskedFor(t *testing.T) {
	for where, want := range map[string][]string{
		``: nil, `null`: nil, `[]`: nil, `[["client_id","Tom"]]`: {"Tom"}, `[["client_id","in",["Tom",2]]]`: {"Tom", "2"},
	} {
		got, err := ListUsers{Where: jsontext.Value(where)}.IDs()
		if err != nil || !slices.Equal(got, want) || (got == nil) != (want == nil) {
			t.Errorf("%s: got %q, %v; want %q", where, got, err, want)
		}
	}
	for _, where := range []string{`[["client_id","!=","Tom"]]`, `[["conv_id","a"]]`, `[["client_id","a"],["client_id","b"]]`, `{}`} {
		if _, err := (ListUsers{Where: jsontext.Value(where)}).IDs(); wire.CodeOf(err).Code != 4406 {
			t.Errorf("%s: got %v, want 4406", where, err)
		}
	}
}

func TestTermsOfBansAndTokens(t *testing.T) {
	n := func(v int64) *int64 { return &v }
	if got, err := (BanUser{}).Term(5); err != nil || got != skein.Forever {
		t.Errorf("a ban without a term: got %d, %v", got, err)
	}
	if got, err := (BanUser{Until: n(6)}).Term(5); err != nil || got != 6 {
		t.Errorf("a ban until 6: got %d, %v", got, err)
	}
	for name, tt := range map[string]struct {
		in    BanUser
		field string
	}{
		"a ban that is over":   {BanUser{Until: n(5)}, "until"},
		"a ban beyond forever": {BanUser{Until: n(int64(skein.Forever) + 1)}, "until"},
		"a long reason":        {BanUser{Reason: strings.Repeat("a", 257)}, "reason"},
	} {
		_, err := tt.in.Term(5)
		checkFault(t, name, "", err, skein.ErrMalformed, tt.field)
	}
	for ttl, ok := range map[int64]bool{0: false, 1: true, 90 * 86400: true, 90*86400 + 1: false, -1: false} {
		if _, err := (IssueToken{TTL: &ttl}).Terms(); (err == nil) != ok {
			t.Errorf("a token of %d s: got %v", ttl, err)
		}
	}
}
