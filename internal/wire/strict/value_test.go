package strict

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

func TestFreeJSONIsKeptAsItIs(t *testing.T) {
	for name, tt := range map[string]struct{ given, kept string }{
		"nothing":                      {``, ``},
		"null":                         {`null`, ``},
		"white space goes":             {"{ \"b\" : [ 1 ,\n2 ] , \"a\":\"x y\"}", `{"b":[1,2],"a":"x y"}`},
		"the order of keys stays":      {`{"b":1,"a":2}`, `{"b":1,"a":2}`},
		"needless escapes go":          {`["\u4f60","http:\/\/x","\ud83d\ude00","\u0041"]`, `["你","http://x","😀","A"]`},
		"needed escapes stay":          {`"\"\\\n\u0001"`, `"\"\\\n\u0001"`},
		"numbers stay as written":      {`[-0,1.0,1e2,1E+02,0.10,12345678901234567890123,9007199254740993]`, `[-0,1.0,1e2,1E+02,0.10,12345678901234567890123,9007199254740993]`},
		"the largest double":           {`1.7976931348623157e308`, `1.7976931348623157e308`},
		"nearly nothing":               {`[1e-400,-1e-99999999999999999999,0e999999999999]`, `[1e-400,-1e-99999999999999999999,0e999999999999]`},
		"a long exponent":              {`1e0000000000000000000000000000002`, `1e0000000000000000000000000000002`},
		"309 digits":                   {`1` + strings.Repeat("0", 308), `1` + strings.Repeat("0", 308)},
		"a text that looks like one":   {`["1e400","\"",true,false]`, `["1e400","\"",true,false]`},
		"letters as escapes to 16 KiB": {`"` + strings.Repeat(`\u4f60`, 5460) + `"`, `"` + strings.Repeat("你", 5460) + `"`},
	} {
		got, err := Value("attr", jsontext.Value(tt.given), skein.MaxAttr)
		if err != nil || string(got) != tt.kept {
			t.Errorf("%s: %.80s: got %.80s, %v; want %.80s", name, tt.given, got, err, tt.kept)
		}
	}
}

func TestFreeJSONIsRefusedWithItsPath(t *testing.T) {
	for name, tt := range map[string]struct{ given, field string }{
		"a number past a double":           {`{"n":1e400}`, "attr.n"},
		"a negative one":                   {`-1E+309`, "attr"},
		"deep inside":                      {`{"a":[1,{"b":[2e308]}]}`, "attr.a.1.b.0"},
		"an exponent past all bounds":      {`[0.1e99999999999999999999999]`, "attr.0"},
		"400 digits":                       {`{"n":[` + strings.Repeat("9", 400) + `]}`, "attr.n.0"},
		"400 digits and a point":           {strings.Repeat("9", 400) + `.5`, "attr"},
		"just past the largest":            {`1.7976931348623159e308`, "attr"},
		"the second number":                {`[1e2,{"x":1e999}]`, "attr.1.x"},
		"a byte more than 16 KiB it holds": {`"` + strings.Repeat(`\u4f60`, 5460) + `aaa"`, "attr"},
	} {
		_, err := Value("attr", jsontext.Value(tt.given), skein.MaxAttr)
		checkFault(t, name, tt.given, err, skein.ErrMalformed, tt.field)
	}
}
