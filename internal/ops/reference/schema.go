package reference

import (
	"reflect"

	"github.com/getkin/kin-openapi/openapi3"
)

// schemas collects the schemas of the structs that answers are made of, by name.
// The first error sticks.
type schemas struct {
	components openapi3.Schemas
	err        error
}

// componentPrefix is where both documents keep their schemas.
const componentPrefix = "#/components/schemas/"

// answer is the schema of an answer's type; nil is true.
func (s *schemas) answer(t reflect.Type) *openapi3.SchemaRef {
	switch {
	case t == nil:
		return inline(&openapi3.Schema{Type: types("boolean"), Description: "always true"})
	case t == jsonType:
		return inline(&openapi3.Schema{})
	case t == idType:
		return inline(&openapi3.Schema{Type: types("string"), Pattern: "^[0-9a-f]{32}$"})
	case t == flagType:
		return flag()
	case isList(t):
		return inline(&openapi3.Schema{Type: types("array"), Items: s.answer(t.Elem())})
	case isObject(t):
		return s.object(t)
	default:
		return inline(&openapi3.Schema{Type: types(scalar(t)), Format: format(t)})
	}
}

// flag is 0 or 1. It is bounds and no enum, of which generators make a type of its
// own at each place.
func flag() *openapi3.SchemaRef {
	return inline(openapi3.NewIntegerSchema().WithMin(0).WithMax(1))
}

// object is a reference to the schema of a struct, which it makes once.
func (s *schemas) object(t reflect.Type) *openapi3.SchemaRef {
	name := schemaName(t)
	if s.components[name] == nil {
		object := openapi3.NewObjectSchema()
		s.components[name] = inline(object)
		fields, err := fieldsOf(t)
		s.fail(err)
		for _, f := range fields {
			object.WithPropertyRef(f.name, described(nullable(s.answer(f.typ), f.null), f))
			if !f.optional {
				object.Required = append(object.Required, f.name)
			}
		}
	}
	return openapi3.NewSchemaRef(componentPrefix+name, nil)
}

// request is the schema of some fields of a request.
func (s *schemas) request(fields []field) *openapi3.SchemaRef {
	object := openapi3.NewObjectSchema()
	for _, f := range fields {
		object.WithPropertyRef(f.name, described(s.asked(f.typ), f))
		if f.need {
			object.Required = append(object.Required, f.name)
		}
	}
	return inline(object)
}

// asked is the schema of a field of a request: the one form that programs should
// write. The server reads more than that: integers as ids, true and "1" as flags.
func (s *schemas) asked(t reflect.Type) *openapi3.SchemaRef {
	switch {
	case t == looseID:
		return inline(&openapi3.Schema{Type: types("string")})
	case givenTypes[t] != "":
		given := inline(&openapi3.Schema{Type: types(givenTypes[t], "null"), Format: format(t)})
		if givenTypes[t] == "array" {
			given.Value.Items = s.asked(givenItem(t))
		}
		return given
	case isList(t):
		return inline(&openapi3.Schema{Type: types("array"), Items: s.asked(t.Elem())})
	default:
		return s.answer(t)
	}
}

func (s *schemas) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

func inline(s *openapi3.Schema) *openapi3.SchemaRef { return openapi3.NewSchemaRef("", s) }

func types(names ...string) *openapi3.Types {
	t := openapi3.Types(names)
	return &t
}

// scalar is the JSON Schema name of a type of Go.
func scalar(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	default:
		return "integer"
	}
}

// format is int64 for what can outgrow 32 bits: Unix ms, seq, totals.
func format(t reflect.Type) string {
	if t.Kind() == reflect.Int64 || givenTypes[t] == "integer" {
		return "int64"
	}
	return ""
}

// nullable is a schema that takes null too. A schema without a type takes it anyway.
func nullable(s *openapi3.SchemaRef, null bool) *openapi3.SchemaRef {
	switch {
	case !null || s.Ref == "" && s.Value.Type == nil:
		return s
	case s.Ref != "":
		return inline(&openapi3.Schema{OneOf: openapi3.SchemaRefs{s, inline(&openapi3.Schema{Type: types("null")})}})
	}
	with := types(append(s.Value.Type.Slice(), "null")...)
	s.Value.Type = with
	return s
}

// described adds the field's text to its schema; a reference is wrapped in allOf for it.
func described(s *openapi3.SchemaRef, f field) *openapi3.SchemaRef {
	if s.Ref != "" {
		s = inline(&openapi3.Schema{AllOf: openapi3.SchemaRefs{s}})
	}
	s.Value.Description = f.doc.EN
	s.Value.Extensions = map[string]any{"x-description-zh": f.doc.ZH}
	return s
}
