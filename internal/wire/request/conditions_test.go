package request

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein"
)

var shanghai = time.FixedZone("UTC+8", 8*60*60)

func TestParseWhereReadsEveryFieldAndOperator(t *testing.T) {
	extend := func(op skein.Operator, value any, path ...string) skein.Condition {
		return skein.Condition{Field: skein.FieldExtend, Path: path, Op: op, Values: []any{value}}
	}
	one := func(f skein.Field, op skein.Operator, values ...any) skein.Condition {
		return skein.Condition{Field: f, Op: op, Values: values}
	}
	for where, want := range map[string][]skein.Condition{
		`[]`:                                       {},
		`[["conv_id","=","abc"]]`:                  {one(skein.FieldConvID, skein.Eq, "abc")},
		`[["conv_id","abc"]]`:                      {one(skein.FieldConvID, skein.Eq, "abc")},
		`[["conv_type",3]]`:                        {one(skein.FieldType, skein.Eq, int64(3))},
		`[["conv_type","=","3"]]`:                  {one(skein.FieldType, skein.Eq, int64(3))},
		`[["conv_type","in",[1,"3"]]]`:             {one(skein.FieldType, skein.In, int64(1), int64(3))},
		`[["conv_type","not in",[4]]]`:             {one(skein.FieldType, skein.NotIn, int64(4))},
		`[["conv_creater_id","!=","Tom"]]`:         {one(skein.FieldCreator, skein.Ne, "Tom")},
		`[["conv_creater_id","<>",2]]`:             {one(skein.FieldCreator, skein.Ne, "2")},
		`[["client_id","=","Tom"]]`:                {one(skein.FieldMember, skein.Eq, "Tom")},
		`[["user_id","in",["Tom",2]]]`:             {one(skein.FieldMember, skein.In, "Tom", "2")},
		`[["client_num",">",2]]`:                   {one(skein.FieldMembers, skein.Gt, int64(2))},
		`[["client_num",">=",2]]`:                  {one(skein.FieldMembers, skein.Ge, int64(2))},
		`[["ctime","<",1608126111686]]`:            {one(skein.FieldCreated, skein.Lt, int64(1608126111686))},
		`[["mtime","<=","2020-12-16 21:41:51"]]`:   {one(skein.FieldUpdated, skein.Le, skein.Span{From: 1608126111000, Until: 1608126112000})},
		`[["conv_extend.a","x"]]`:                  {extend(skein.Eq, "x", "a")},
		`[["conv_extend.a.b.c",">",1.5]]`:          {extend(skein.Gt, 1.5, "a", "b", "c")},
		`[["conv_extend.a",1e3]]`:                  {extend(skein.Eq, 1000.0, "a")},
		`[["conv_extend.a",18446744073709551616]]`: {extend(skein.Eq, 18446744073709551616.0, "a")},
		`[["conv_extend.a","!=",true]]`:            {extend(skein.Ne, true, "a")},
		`[["conv_extend.a","exists",true]]`:        {extend(skein.Exists, true, "a")},
		`[["conv_extend.a","exists",0]]`:           {extend(skein.Exists, false, "a")},
		`[["conv_extend.a","exists","1"]]`:         {extend(skein.Exists, true, "a")},
		`[["conv_extend.名字","测试"]]`:                {extend(skein.Eq, "测试", "名字")},
		`[["client_id","Tom"],["conv_type",1]]`:    {one(skein.FieldMember, skein.Eq, "Tom"), one(skein.FieldType, skein.Eq, int64(1))},
	} {
		if got, err := ParseWhere([]byte(where), shanghai); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v; want %+v", where, got, err, want)
		}
	}
}

func TestParseWhereNamesTheLineAndWhatIsWrong(t *testing.T) {
	values := func(n int) string { return strings.TrimSuffix(strings.Repeat(`"a",`, n), ",") }
	conditions := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat(`["conv_type",1],`, n), ",") + "]" }
	for name, tt := range map[string]struct{ where, field, detail string }{
		"nothing":                     {``, "where", "must be a list"},
		"null":                        {`null`, "where", "must be a list"},
		"an object":                   {`{"conv_id":"a"}`, "where", "must be a list"},
		"too many conditions":         {conditions(21), "where", "at most 20"},
		"a condition that is no list": {`["conv_id","=","a"]`, "where.0", "must be [field, operator, value]"},
		"a condition of one":          {`[["conv_id"]]`, "where.0", "must be [field, operator, value]"},
		"a condition of four":         {`[["conv_id","=","a","b"]]`, "where.0", "must be [field, operator, value]"},
		"the second line":             {`[["conv_type",1],["conv_type"]]`, "where.1", "must be [field"},
		"a field that is no text":     {`[[1,"=",1]]`, "where.0", "the field must be a string"},
		"a field nobody knows":        {`[["password","=","a"]]`, "where.0", `unknown field "password"`},
		"another case":                {`[["Conv_id","=","a"]]`, "where.0", "unknown"},
		"an injection":                {`[["conv_id;--","=","a"]]`, "where.0", "unknown"},
		"a very long field":           {`[["` + strings.Repeat("字", 100) + `","=","a"]]`, "where.0", "…"},
		"the extension itself":        {`[["conv_extend","=","a"]]`, "where.0", "unknown"},
		"an empty path":               {`[["conv_extend.","=","a"]]`, "where.0", "invalid key"},
		"an empty key in a path":      {`[["conv_extend.a..b","=","a"]]`, "where.0", "invalid key"},
		"a quote in a path":           {`[["conv_extend.a\"","=","a"]]`, "where.0", "invalid key"},
		"a path of nine":              {`[["conv_extend.a.b.c.d.e.f.g.h.i","=","a"]]`, "where.0", "at most 8 keys"},
		"an operator nobody knows":    {`[["conv_id","like","a"]]`, "where.0", `unknown operator "like"`},
		"an operator in capitals":     {`[["conv_id","IN",["a"]]]`, "where.0", "unknown"},
		"an operator that is no text": {`[["conv_id",1,"a"]]`, "where.0", "the operator must be a string"},
		"exists on a plain field":     {`[["conv_id","exists",true]]`, "where.0", "conv_extend only"},
		"an order of members":         {`[["client_id",">","a"]]`, "where.0", "does not apply"},
		"an order of ids":             {`[["conv_id","<=","a"]]`, "where.0", "does not apply"},
		"in without a list":           {`[["conv_id","in","a"]]`, "where.0", "the value must be a list"},
		"in with nothing":             {`[["conv_id","in",[]]]`, "where.0", "1 to 200"},
		"in with too many":            {`[["conv_id","in",[` + values(201) + `]]]`, "where.0", "1 to 200"},
		"a list for =":                {`[["conv_id","=",["a"]]]`, "where.0", "must be a string, a number"},
		"null as a value":             {`[["conv_id","=",null]]`, "where.0", "must be a string, a number"},
		"a type that is no integer":   {`[["conv_type","=","group"]]`, "where.0", "must be an integer"},
		"a type with a point":         {`[["conv_type","=",1.5]]`, "where.0", "must be an integer"},
		"a client as true":            {`[["client_id","=",true]]`, "where.0", "must be a string"},
		"a time in another form":      {`[["ctime",">","2020-12-16T21:41:51Z"]]`, "where.0", "YYYY-MM-DD"},
		"a time that is none":         {`[["ctime",">","2020-13-16 21:41:51"]]`, "where.0", "YYYY-MM-DD"},
		"a time with a fraction":      {`[["ctime",">","2020-12-16 21:41:51.5"]]`, "where.0", "YYYY-MM-DD"},
		"exists with a word":          {`[["conv_extend.a","exists","yes"]]`, "where.0", "must be true or false"},
		"an order of true and false":  {`[["conv_extend.a",">",true]]`, "where.0", "no order"},
		"a text that is too long":     {`[["conv_extend.a","` + strings.Repeat("a", 257) + `"]]`, "where.0", "at most 256"},
		"a number nobody can hold":    {`[["conv_extend.a",1e999]]`, "where.0", "out of range"},
	} {
		_, err := ParseWhere([]byte(tt.where), shanghai)
		checkFault(t, name, tt.where, err, skein.ErrMalformed, tt.field)
		if text := fmt.Sprint(err); !strings.Contains(text, tt.detail) || len(text) > 200 {
			t.Errorf("%s: got %q, want it to say %q, briefly", name, text, tt.detail)
		}
	}
	for name, where := range map[string]string{
		"twenty conditions": conditions(20),
		"two hundred":       `[["conv_id","in",[` + values(200) + `]]]`,
		"a path of eight":   `[["conv_extend.a.b.c.d.e.f.g.h","a"]]`,
		"256 bytes":         `[["conv_extend.a","` + strings.Repeat("a", 256) + `"]]`,
	} {
		if _, err := ParseWhere([]byte(where), shanghai); err != nil {
			t.Errorf("%s at the limit: got %v", name, err)
		}
	}
}

// FuzzWhere holds that a where is refused as malformed, or is what stores are
// promised: known fields and operators, the right kinds of values, safe paths.
func FuzzWhere(f *testing.F) {
	for _, seed := range []string{
		`[["conv_id","=","abc"],["conv_type","in",[1,"3"]]]`, `[["conv_extend.a.b",">",1.5]]`, `[["conv_extend.a","exists",0]]`,
		`[["mtime","<","2020-12-16 21:41:51"]]`, `[["client_id",2]]`, `[[]]`, `[["conv_extend.a",1e999]]`, `null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		where, err := ParseWhere(data, time.UTC)
		if err != nil {
			if !errors.Is(err, skein.ErrMalformed) {
				t.Fatalf("%q: got %v", data, err)
			}
			return
		}
		if len(where) > skein.MaxConditions {
			t.Fatalf("%q: %d conditions", data, len(where))
		}
		for _, c := range where {
			if fault := broken(c); fault != "" {
				t.Fatalf("%q: %s in %+v", data, fault, c)
			}
		}
	})
}

// broken says which promise of skein.Condition does not hold; empty: all do.
func broken(c skein.Condition) string {
	many := c.Op == skein.In || c.Op == skein.NotIn
	if n := len(c.Values); n < 1 || n > skein.MaxValues || n > 1 && !many {
		return "number of values"
	}
	if (len(c.Path) > 0) != (c.Field == skein.FieldExtend) || c.Op == skein.Exists && c.Field != skein.FieldExtend {
		return "path or exists on another field"
	}
	for _, key := range c.Path {
		if key == "" || strings.ContainsAny(key, "\"\\\x00") {
			return "path"
		}
	}
	for _, v := range c.Values {
		_, isText := v.(string)
		_, isInt := v.(int64)
		_, isBool := v.(bool)
		switch c.Field {
		case skein.FieldConvID, skein.FieldCreator, skein.FieldMember:
			if !isText {
				return "value that is no text"
			}
		case skein.FieldType, skein.FieldMembers:
			if !isInt {
				return "value that is no integer"
			}
		case skein.FieldCreated, skein.FieldUpdated:
			if _, isSpan := v.(skein.Span); !isInt && !isSpan {
				return "value that is no time"
			}
		default:
			equality := c.Op == skein.Eq || c.Op == skein.Ne || many
			if c.Op == skein.Exists && !isBool || isBool && c.Op != skein.Exists && !equality {
				return "value of another kind"
			}
		}
	}
	return ""
}
