package strict

import (
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// paged is embedded in it.
type paged struct {
	Page   *int64 `json:"page"`
	Size   *int64 `json:"size"`
	Cursor string `json:"cursor"`
}

// request has a field of every kind that requests are made of.
type request struct {
	Name  ID             `json:"name" need:"1"`
	Names []ID           `json:"names"`
	Count *int64         `json:"count"`
	On    Flag           `json:"on"`
	Maybe *Flag          `json:"maybe"`
	Bool  *bool          `json:"bool"`
	Text  string         `json:"text" prose:"1"`
	Any   jsontext.Value `json:"any"`

	paged
}

func TestDecodeReadsKindly(t *testing.T) {
	for name, tt := range map[string]struct {
		body string
		want request
	}{
		"an id as a string":             {`{"name":"Tom"}`, request{Name: "Tom"}},
		"an id as an integer":           {`{"name":1597500303}`, request{Name: "1597500303"}},
		"an integer past 64 bits":       {`{"name":12345678901234567890}`, request{Name: "12345678901234567890"}},
		"ids of both kinds in a list":   {`{"name":"a","names":["Tom",2]}`, request{Name: "a", Names: []ID{"Tom", "2"}}},
		"a flag as 1":                   {`{"name":"a","on":1}`, request{Name: "a", On: true}},
		"a flag as a string":            {`{"name":"a","on":"1"}`, request{Name: "a", On: true}},
		"a flag as true":                {`{"name":"a","on":true}`, request{Name: "a", On: true}},
		"a flag as 0":                   {`{"name":"a","on":0}`, request{Name: "a"}},
		"a flag as null":                {`{"name":"a","on":null}`, request{Name: "a"}},
		"a flag that is there and off":  {`{"name":"a","maybe":"0"}`, request{Name: "a", Maybe: new(Flag)}},
		"a flag that is null is absent": {`{"name":"a","maybe":null}`, request{Name: "a"}},
		"raw JSON stays as it is":       {`{"name":"a","any":{"b": [1, 2.50]}}`, request{Name: "a", Any: jsontext.Value(`{"b": [1, 2.50]}`)}},
		"unknown fields are ignored":    {`{"name":"a","nothing":{"of":["ours"]}}`, request{Name: "a"}},
		"another case is another field": {`{"name":"a","Count":7,"TEXT":"x"}`, request{Name: "a"}},
		"a field of what it embeds":     {`{"name":"a","cursor":"x"}`, request{Name: "a", paged: paged{Cursor: "x"}}},
		"white space around the value":  {" \r\n\t{\"name\" : \"a\"}\n", request{Name: "a"}},
		"escapes":                       {`{"name":"\u0054om","text":"\ud83d\ude00"}`, request{Name: "Tom", Text: "😀"}},
		"half an emoji in a text":       {`{"name":"a","text":"x\ud83d"}`, request{Name: "a", Text: "x\ufffd"}},
		"halves in a text":              {`{"text":"\ude00\uD83D\ud83d\ude00\\ud83d\ud83dx","name":"\ud83d\ude00"}`, request{Name: "😀", Text: "\ufffd\ufffd😀\\ud83d\ufffdx"}},
	} {
		var got request
		if err := Decode([]byte(tt.body), &got); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %s: got %+v, %v; want %+v", name, tt.body, got, err, tt.want)
		}
	}
}

func TestDecodeIsStrict(t *testing.T) {
	nested := func(depth int) string {
		return `{"name":"a","any":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + `}`
	}
	for name, tt := range map[string]struct {
		body  string
		want  error
		field string
	}{
		"nothing where a field must be":       {``, skein.ErrMissing, "name"},
		"an empty object":                     {`{}`, skein.ErrMissing, "name"},
		"an empty text where a field must be": {`{"name":""}`, skein.ErrMissing, "name"},
		"null where a field must be":          {`{"name":null}`, skein.ErrMissing, "name"},
		"only white space":                    {"  \n", skein.ErrMalformed, ""},
		"a list":                              {`[{"name":"a"}]`, skein.ErrMalformed, ""},
		"a text":                              {`"name"`, skein.ErrMalformed, ""},
		"null":                                {`null`, skein.ErrMalformed, ""},
		"two values":                          {`{"name":"a"}{"name":"b"}`, skein.ErrMalformed, ""},
		"a value and more":                    {`{"name":"a"} x`, skein.ErrMalformed, ""},
		"half a value":                        {`{"name":"a"`, skein.ErrMalformed, ""},
		"a comma too many":                    {`{"name":"a",}`, skein.ErrMalformed, ""},
		"a comment":                           {`{"name":"a"/**/}`, skein.ErrMalformed, ""},
		"single quotes":                       {`{'name':'a'}`, skein.ErrMalformed, ""},
		"a number with a leading zero":        {`{"name":"a","count":01}`, skein.ErrMalformed, ""},
		"a key twice":                         {`{"name":"a","name":"b"}`, skein.ErrMalformed, "name"},
		"a key twice, written in two ways":    {`{"name":"a","n\u0061me":"b"}`, skein.ErrMalformed, "name"},
		"an unknown key twice":                {`{"name":"a","x":1,"x":2}`, skein.ErrMalformed, "x"},
		"a key twice inside raw JSON":         {`{"name":"a","any":{"b":1,"b":2}}`, skein.ErrMalformed, "any.b"},
		"a key twice inside an unknown field": {`{"name":"a","x":{"b":1,"b":2}}`, skein.ErrMalformed, "x.b"},
		"bytes that are not UTF-8":            {"{\"name\":\"\xff\"}", skein.ErrMalformed, ""},
		"not UTF-8 inside raw JSON":           {"{\"name\":\"a\",\"any\":\"\xc3\x28\"}", skein.ErrMalformed, ""},
		"half a surrogate pair":               {`{"name":"\ud83d"}`, skein.ErrMalformed, "name"},
		"the other half":                      {`{"name":"a","names":["b","\uDE00x"]}`, skein.ErrMalformed, "names.1"},
		"two halves in the wrong order":       {`{"name":"\ude00\ud83d"}`, skein.ErrMalformed, "name"},
		"half a surrogate pair in a key":      {`{"name":"a","any":{"\ud83d":1}}`, skein.ErrMalformed, "any.\ufffd"},
		"half a surrogate pair in raw JSON":   {`{"name":"a","any":{"b":["\ud83d"]}}`, skein.ErrMalformed, "any.b.0"},
		"half of one in an unknown field":     {`{"name":"a","x":{"text":"\ud83d"}}`, skein.ErrMalformed, "x.text"},
		"an escaped U+0000":                   {`{"name":"a\u0000"}`, skein.ErrMalformed, "name"},
		"an escaped U+0000 in a text":         {`{"name":"a","text":"\u0000"}`, skein.ErrMalformed, "text"},
		"an escaped U+0000 in raw JSON":       {`{"name":"a","any":[{"b":"\u0000"}]}`, skein.ErrMalformed, "any.0.b"},
		"an escaped U+0000 in a key":          {`{"name":"a","any":{"\u0000":1}}`, skein.ErrMalformed, "any.\x00"},
		"a zero byte":                         {"{\"name\":\"a\x00\"}", skein.ErrMalformed, ""},
		"a byte order mark":                   {"\xef\xbb\xbf{\"name\":\"a\"}", skein.ErrMalformed, ""},
		"an id as a number with a point":      {`{"name":1.5}`, skein.ErrMalformed, "name"},
		"an id as a number with an exponent":  {`{"name":1e3}`, skein.ErrMalformed, "name"},
		"an id as true":                       {`{"name":true}`, skein.ErrMalformed, "name"},
		"an id as an object":                  {`{"name":{"id":"a"}}`, skein.ErrMalformed, "name"},
		"an id in a list as a list":           {`{"name":"a","names":["b",["c"]]}`, skein.ErrMalformed, "names.1"},
		"a list as a text":                    {`{"name":"a","names":"b"}`, skein.ErrMalformed, "names"},
		"an integer as a text":                {`{"name":"a","count":"1"}`, skein.ErrMalformed, "count"},
		"an integer with a point":             {`{"name":"a","count":1.5}`, skein.ErrMalformed, "count"},
		"an integer past 64 bits":             {`{"name":"a","count":9223372036854775808}`, skein.ErrMalformed, "count"},
		"a flag as 2":                         {`{"name":"a","on":2}`, skein.ErrMalformed, "on"},
		"a flag as minus zero":                {`{"name":"a","on":-0}`, skein.ErrMalformed, "on"},
		"a flag as a word":                    {`{"name":"a","on":"yes"}`, skein.ErrMalformed, "on"},
		"a flag as a list":                    {`{"name":"a","on":[1]}`, skein.ErrMalformed, "on"},
		"a text as a number":                  {`{"name":"a","text":1}`, skein.ErrMalformed, "text"},
		"33 levels deep":                      {nested(33), skein.ErrMalformed, ""},
		"a million levels deep":               {strings.Repeat("[", 1_000_000), skein.ErrMalformed, ""},
	} {
		var in request
		err := Decode([]byte(tt.body), &in)
		checkFault(t, name, tt.body, err, tt.want, tt.field)
	}
	var in request
	if err := Decode([]byte(nested(32)), &in); err != nil {
		t.Errorf("32 levels deep: got %v, want no error", err)
	}
}

// checkFault holds an error to a sentinel and the field it names.
func checkFault(t *testing.T, name, input string, err, want error, field string) {
	t.Helper()
	if want == nil && err == nil {
		return
	}
	var fault *skein.Fault
	if !errors.Is(err, want) || !errors.As(err, &fault) || fault.Field != field {
		t.Errorf("%s: %.100s: got %v, want %v about %q", name, input, err, want, field)
	}
}

func TestDepthCountsBracketsOutsideOfTexts(t *testing.T) {
	for body, want := range map[string]int{
		`1`: 0, `[]`: 1, `{"a":[{}]}`: 3, `[[],[]]`: 2, `["[[[["]`: 1, `["\"[[["]`: 1, `["\\",[]]`: 2, `"`: 0, `["[`: 1, `]]][`: 0, `["\`: 1,
	} {
		if got, _ := Survey([]byte(body)); got != want {
			t.Errorf("%s: got %d, want %d", body, got, want)
		}
	}
}

func TestDecodeRESTReadsThreePlaces(t *testing.T) {
	for name, tt := range map[string]struct {
		body, query string
		path        map[string]string
		want        request
	}{
		"the body alone":                    {`{"name":"a"}`, ``, nil, request{Name: "a"}},
		"the query alone":                   {``, `name=a&text=b`, nil, request{Name: "a", Text: "b"}},
		"the path alone":                    {``, ``, map[string]string{"name": "a"}, request{Name: "a"}},
		"the query over the body":           {`{"name":"a","text":"b"}`, `text=c`, nil, request{Name: "a", Text: "c"}},
		"the path over the query":           {`{"name":"a"}`, `name=b`, map[string]string{"name": "c"}, request{Name: "c"}},
		"an id of digits is a text":         {``, `name=2`, nil, request{Name: "2"}},
		"a list":                            {``, `name=a&names=["b",3]`, nil, request{Name: "a", Names: []ID{"b", "3"}}},
		"a list over that of the body":      {`{"name":"a","names":["b","c"]}`, `names=["d"]`, nil, request{Name: "a", Names: []ID{"d"}}},
		"a list, one value after the other": {``, `name=a&names=b&names=3`, nil, request{Name: "a", Names: []ID{"b", "3"}}},
		"a list of one value":               {``, `name=a&names=b`, nil, request{Name: "a", Names: []ID{"b"}}},
		"an integer":                        {``, `name=a&count=-7`, nil, request{Name: "a", Count: new(int64(-7))}},
		"a flag as 1":                       {``, `name=a&on=1&maybe=0`, nil, request{Name: "a", On: true, Maybe: new(Flag)}},
		"a flag as true":                    {``, `name=a&on=true&maybe=false`, nil, request{Name: "a", On: true, Maybe: new(Flag)}},
		"a boolean":                         {``, `name=a&bool=false`, nil, request{Name: "a", Bool: new(bool)}},
		"raw JSON":                          {``, `name=a&any=[1,{"b":null}]`, nil, request{Name: "a", Any: jsontext.Value(`[1,{"b":null}]`)}},
		"quotes in a text stay in it":       {``, `name=a&text=","any":1,"x":"`, nil, request{Name: "a", Text: `","any":1,"x":"`}},
		"an unknown parameter is ignored":   {``, `name=a&nothing=[`, nil, request{Name: "a"}},
		"an unknown parameter may be twice": {``, `name=a&x=1&x=2`, nil, request{Name: "a"}},
		"a field of what it embeds":         {``, `name=a&page=3`, nil, request{Name: "a", paged: paged{Page: new(int64(3))}}},
	} {
		query, err := url.ParseQuery(tt.query)
		if err != nil {
			t.Fatal(err)
		}
		var got request
		if err := DecodeHTTP([]byte(tt.body), query, tt.path, &got); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %s ?%s: got %+v, %v; want %+v", name, tt.body, tt.query, got, err, tt.want)
		}
	}
}

func TestDecodeRESTRefusesWhatTheQueryMayNotSay(t *testing.T) {
	for name, tt := range map[string]struct {
		query string
		want  error
		field string
	}{
		"nothing":                    {``, skein.ErrMissing, "name"},
		"a parameter twice":          {`name=a&name=b`, skein.ErrMalformed, "name"},
		"an integer that is none":    {`name=a&count=1.0`, skein.ErrMalformed, "count"},
		"an empty integer":           {`name=a&count=`, skein.ErrMalformed, "count"},
		"a flag that is none":        {`name=a&on=yes`, skein.ErrMalformed, "on"},
		"an empty flag":              {`name=a&on=`, skein.ErrMalformed, "on"},
		"JSON that is none":          {`name=a&any=[1`, skein.ErrMalformed, "any"},
		"two JSON values":            {`name=a&any=1,"x":2`, skein.ErrMalformed, "any"},
		"JSON with a key twice":      {`name=a&any={"b":1,"b":2}`, skein.ErrMalformed, "any"},
		"a text with a zero byte":    {`name=a&text=%00`, skein.ErrMalformed, "text"},
		"a text that is not UTF-8":   {`name=a&text=%ff`, skein.ErrMalformed, "text"},
		"JSON that nests too deeply": {`name=a&any=` + strings.Repeat("[", 32) + strings.Repeat("]", 32), skein.ErrMalformed, ""},
	} {
		query, err := url.ParseQuery(tt.query)
		if err != nil {
			t.Fatal(err)
		}
		var in request
		checkFault(t, name, tt.query, DecodeHTTP(nil, query, nil, &in), tt.want, tt.field)
	}
}

func TestFieldNamesAreShortEnoughToSay(t *testing.T) {
	long := strings.Repeat("长", 100)
	var in request
	err := Decode([]byte(`{"name":"a","`+long+`":1,"`+long+`":2}`), &in)
	if text := err.Error(); len(text) > 120 || !strings.Contains(text, "长") {
		t.Errorf("got %q, want it short and whole letters", text)
	}
}

// FuzzDecode holds that whatever comes is either read as strictly as the JSON
// library reads an object of depth 32, or refused in words of the code table.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"name":"a"}`, `{"name":1,"names":["b",2],"count":3,"on":"1","maybe":true,"text":"x","any":{"a":[null]}}`,
		`{"name":"a","name":"b"}`, `{"name":"\ud800"}`, `[]`, `null`, ``, `{"name":-0}`, strings.Repeat(`{"any":`, 40),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var in request
		err := Decode(data, &in)
		depth, odd := Survey(data)
		if err != nil {
			if !errors.Is(err, skein.ErrMissing) && !errors.Is(err, skein.ErrMalformed) {
				t.Fatalf("%q: got %v", data, err)
			}
			if text := err.Error(); !utf8.ValidString(text) {
				t.Fatalf("%q: the error cannot be said: %q", data, text)
			}
			return
		}
		if !jsontext.Value(data).IsValid(jsontext.AllowInvalidUTF8(odd)) || jsontext.Value(data).Kind() != '{' || depth > MaxDepth || in.Name == "" {
			t.Fatalf("%q was read as %+v", data, in)
		}
		if in.Any != nil && !in.Any.IsValid() {
			t.Fatalf("%q: raw JSON is none: %q", data, in.Any)
		}
	})
}
