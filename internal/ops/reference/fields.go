package reference

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire/adminapi"
	"github.com/skein-im/skein/internal/wire/strict"
)

// field is one field of a request or an answer, read from its tags.
type field struct {
	name     string
	typ      reflect.Type // of a pointer, what it points to
	need     bool         // a request must have it
	optional bool         // an answer may leave it out
	null     bool         // an answer may say null
	doc      ops.Doc
}

// Types that are more than their kind.
var (
	idType   = reflect.TypeFor[skein.ID]()
	looseID  = reflect.TypeFor[strict.ID]()
	flagType = reflect.TypeFor[strict.Flag]()
	jsonType = reflect.TypeFor[jsontext.Value]()
)

// givenTypes are the fields of requests that null takes away, and what else they
// take.
var givenTypes = map[reflect.Type]string{
	reflect.TypeFor[strict.GivenText]():            "string",
	reflect.TypeFor[strict.GivenInt]():             "integer",
	reflect.TypeFor[strict.GivenList[strict.ID]](): "array",
	reflect.TypeFor[strict.GivenList[string]]():    "array",
	reflect.TypeFor[strict.GivenList[int64]]():     "array",
}

// givenItem is the type of the items of a strict.GivenList.
func givenItem(list reflect.Type) reflect.Type {
	items, _ := list.FieldByName("List")
	return items.Type.Elem()
}

// fieldsOf are the fields of a struct of package wire in their order, those of
// embedded structs in place. Errors: a field that lacks its text in a language.
func fieldsOf(t reflect.Type) ([]field, error) {
	var fields []field
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		if f.Tag.Get("old") == "1" || t.Field(f.Index[0]).Tag.Get("old") == "1" {
			continue // read for old programs, shown to nobody
		}
		doc := ops.Doc{EN: f.Tag.Get("en"), ZH: f.Tag.Get("zh")}
		if t == reflect.TypeFor[adminapi.Settings]() {
			doc.EN, doc.ZH = adminapi.AllSettings[f.Index[0]].Doc()
		}
		if doc.EN == "" || doc.ZH == "" {
			return nil, fmt.Errorf("%s.%s lacks its text in a language", t, f.Name)
		}
		typ, pointer := f.Type, f.Type.Kind() == reflect.Pointer
		if pointer {
			typ = typ.Elem()
		}
		optional := strings.Contains(options, "omitzero") || ofOptionalPart(t, f)
		fields = append(fields, field{
			name: name, typ: typ, doc: doc,
			need:     f.Tag.Get("need") == "1",
			optional: optional,
			null:     !optional && (pointer || typ == jsonType || isList(typ) && strings.Contains(doc.EN, "null")),
		})
	}
	return fields, nil
}

// ofOptionalPart reports whether a field of a struct belongs to an embedded part
// that may not be there.
func ofOptionalPart(t reflect.Type, f reflect.StructField) bool {
	return len(f.Index) > 1 && t.Field(f.Index[0]).Type.Kind() == reflect.Pointer
}

func isList(t reflect.Type) bool { return t.Kind() == reflect.Slice && t != jsonType }

// isObject reports whether the type is a struct that is written as one.
func isObject(t reflect.Type) bool { return t.Kind() == reflect.Struct }

// pageItem is the type of the items of an answer that is a page of them.
func pageItem(t reflect.Type) (reflect.Type, bool) {
	if t == nil || !isObject(t) {
		return nil, false
	}
	page, paged := t.FieldByName("CurrentPage")
	data, ok := t.FieldByName("Data")
	if !paged || len(page.Index) > 1 || !ok || !isList(data.Type) { // an embedded page is a part
		return nil, false
	}
	return data.Type.Elem(), true
}

// schemaName is the name of a struct in the documents.
func schemaName(t reflect.Type) string {
	if item, ok := pageItem(t); ok {
		return "PageOf" + upperFirst(schemaName(item))
	}
	return t.Name()
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
