package store_test

import (
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/skein-im/skein/internal/store"
)

func TestJSONIsComparedByContent(t *testing.T) {
	for name, tt := range map[string]struct {
		a, b string
		want bool
	}{
		"another order of keys":          {`{"a":1,"b":2}`, `{"b":2,"a":1}`, true},
		"another order inside":           {`[{"a":{"x":1,"y":[]},"b":2}]`, `[{"b":2,"a":{"y":[],"x":1}}]`, true},
		"another order of a list":        {`[1,2]`, `[2,1]`, false},
		"an escaped letter":              {`"你"`, `"\u4f60"`, true},
		"an escaped letter in a key":     {`{"你":1}`, `{"\u4F60":1}`, true},
		"an escaped pair":                {`"😀"`, `"\ud83d\uDE00"`, true},
		"escaped slashes":                {`"http://x"`, `"http:\/\/x"`, true},
		"a line break in two ways":       {`"\n"`, `"\u000a"`, true},
		"a number in a text stays":       {`"1.0"`, `"1"`, false},
		"a quote before a number":        {`"\"1.0"`, `"\"1"`, false},
		"a backslash before a number":    {`["\\",1.0]`, `["\\",1]`, true},
		"white space":                    {"{ \"a\" :\t[ 1 ,\r\n 2 ] }", `{"a":[1,2]}`, true},
		"white space in a text":          {`"a b"`, `"ab"`, false},
		"1.0 and 1":                      {`1.0`, `1`, true},
		"1e2 and 100":                    {`1e2`, `100`, true},
		"1E+02 and 100.00":               {`1E+02`, `100.00`, true},
		"0.001 and 1e-3":                 {`0.001`, `1e-3`, true},
		"12.50 and 125e-1":               {`12.50`, `125e-1`, true},
		"zeros":                          {`[0,-0,0.0,0e9,-0.00E-5]`, `[0,0,0,0,0]`, true},
		"1 and -1":                       {`1`, `-1`, false},
		"1 and 10":                       {`1`, `10`, false},
		"0.1 and 0.01":                   {`0.1`, `0.01`, false},
		"2^53+1 and 2^53":                {`9007199254740993`, `9007199254740992`, false},
		"2^53+1 in two ways":             {`9007199254740993`, `9007199254740993.0`, true},
		"digits that no double holds":    {`0.1000000000000000055`, `0.1`, false},
		"a number and a text":            {`1`, `"1"`, false},
		"null and an empty object":       {`{"a":null}`, `{}`, false},
		"true and 1":                     {`true`, `1`, false},
		"a list and an object":           {`[]`, `{}`, false},
		"nothing and nothing":            {``, ``, true},
		"nothing and null":               {``, `null`, false},
		"what is no JSON, and the same":  {`{"a":}`, `{"a":}`, true},
		"what is no JSON, and different": {`{"a":}`, `{"b":}`, false},
		"an exponent past all bounds":    {`1e99999999999999999999`, `1e99999999999999999999`, true},
	} {
		if got := store.SameJSON([]byte(tt.a), []byte(tt.b)); got != tt.want {
			t.Errorf("%s: %s and %s: got %v, want %v", name, tt.a, tt.b, got, tt.want)
		}
	}
}

// FuzzSameJSON writes whatever JSON there is anew, in another order, with other
// escapes, spacing and numbers, and compares equal; then changes one value of it.
func FuzzSameJSON(f *testing.F) {
	for i, seed := range []string{
		`{"a":1,"b":[2.5e3,"x\n\u4f60",null,true],"c":{"d":-0,"e":9007199254740993}}`, `[]`, `"http:\/\/x"`, `1e-7`, `{"😀":{"😁":[[]]}}`,
		`[0.10,1E5,-12.50e-3,100000000000000000000000000001]`, `"\u0001\"\\"`,
	} {
		f.Add([]byte(seed), uint64(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		decoder := json.NewDecoder(strings.NewReader(string(data)))
		decoder.UseNumber()
		var v any
		if decoder.Decode(&v) != nil || decoder.More() || !store.ReadableJSON(data) {
			return
		}
		w := rewriter{rand.New(rand.NewPCG(seed, 7))}
		again := w.write(v)
		if !store.SameJSON(data, []byte(again)) {
			t.Fatalf("%s rewritten as %s: got different, want the same", data, again)
		}
		altered, done := w.alter(v)
		if text := w.write(altered); done && store.SameJSON(data, []byte(text)) {
			t.Fatalf("%s altered to %s: got the same, want different", data, text)
		}
	})
}

// rewriter writes JSON as no two programs would.
type rewriter struct{ *rand.Rand }

func (w rewriter) space() string { return []string{"", "", " ", "\n", "\t "}[w.IntN(5)] }

func (w rewriter) write(v any) string {
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		w.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		parts := make([]string, len(keys))
		for i, k := range keys {
			parts[i] = w.space() + w.text(k) + w.space() + ":" + w.space() + w.write(v[k])
		}
		return "{" + strings.Join(parts, ",") + w.space() + "}"
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = w.space() + w.write(item)
		}
		return "[" + strings.Join(parts, w.space()+",") + "]"
	case string:
		return w.text(v)
	case json.Number:
		return w.number(v.String())
	case bool:
		return strconv.FormatBool(v)
	default:
		return "null"
	}
}

func (w rewriter) text(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '/' && w.IntN(2) == 0:
			b.WriteString(`\/`)
		case r > 0xffff && w.IntN(2) == 0:
			r -= 0x10000
			b.WriteString(`\u` + strconv.FormatInt(int64(0xd800+r>>10), 16) + `\u` + strconv.FormatInt(int64(0xdc00+r&0x3ff), 16))
		case r <= 0xffff && (r < 0x20 || r == '"' || r == '\\' || w.IntN(3) == 0):
			hex := "000" + strconv.FormatInt(int64(r), 16)
			b.WriteString(`\u` + strings.ToUpper(hex[len(hex)-4:]))
		default:
			b.WriteRune(r)
		}
	}
	return `"` + b.String() + `"`
}

// number writes one with its point moved.
func (w rewriter) number(s string) string {
	mantissa, power, _ := strings.Cut(strings.ToLower(s), "e")
	exponent := 0
	if power != "" {
		var err error
		if exponent, err = strconv.Atoi(power); err != nil || exponent > 1e6 || exponent < -1e6 {
			return s
		}
	}
	if !strings.Contains(mantissa, ".") && w.IntN(2) == 0 {
		mantissa += "." + strings.Repeat("0", 1+w.IntN(3))
	}
	if whole, fraction, ok := strings.Cut(mantissa, "."); ok && w.IntN(2) == 0 && strings.Trim(whole, "-0") != "" {
		mantissa = whole + fraction // the point goes to the end
		exponent -= len(fraction)
	}
	if exponent == 0 && w.IntN(2) == 0 {
		return mantissa
	}
	return mantissa + []string{"e", "E"}[w.IntN(2)] + strconv.Itoa(exponent)
}

// alter changes one value; done is false where v holds none.
func (w rewriter) alter(v any) (altered any, done bool) {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, item := range v {
			if !done {
				item, done = w.alter(item)
			}
			out[k] = item
		}
		return out, done
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			if !done {
				item, done = w.alter(item)
			}
			out[i] = item
		}
		return out, done
	case string:
		return v + "x", true
	case json.Number:
		if strings.ContainsAny(v.String(), "eE") {
			return v, false // the exponent may be of any size
		}
		n, ok := new(big.Rat).SetString(v.String())
		if !ok || !n.IsInt() {
			return v, false
		}
		return json.Number(n.Add(n, big.NewRat(1, 1)).Num().String()), true
	case bool:
		return !v, true
	default:
		return false, true
	}
}
