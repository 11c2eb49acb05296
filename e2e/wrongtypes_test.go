package e2e

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// typed is a field of a call by the documents, with a value of another type.
type typed struct {
	call, field string
	wrong       any
}

// wrongTypes are the fields of an object's schema, each with a value of a wrong type.
// A field that takes any JSON has none.
func wrongTypes(call string, schema map[string]any) (all []typed) {
	fields, _ := schema["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		var wrong []any
		switch fields[name].(map[string]any)["type"] {
		case "string":
			wrong = []any{obj{}, []any{"x"}, 1.5}
		case "integer", "number":
			wrong = []any{obj{}, "x", 1.5, 1e300}
		case "boolean":
			wrong = []any{obj{}, "perhaps"}
		case "array":
			wrong = []any{obj{"a": 1}, 1.5, true}
		}
		for _, w := range wrong {
			all = append(all, typed{call, name, w})
		}
	}
	return all
}

// inside follows the keys of nested objects; nil where one is missing.
func inside(v any, keys ...string) map[string]any {
	for _, k := range keys {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	m, _ := v.(map[string]any)
	return m
}

// wantRefused wants code 4406 with the name of the field, and nothing done.
func (f typed) wantRefused(t *testing.T, got *answer) {
	t.Helper()
	if got.Code != 4406 || !strings.Contains(got.Message, f.field) {
		t.Errorf("%s with %s %s: got %s, want 4406 that names the field", f.call, f.field, jsonOf(f.wrong), got)
	}
}

// Every field of every call that the documents know, by REST and by socket, with each
// kind of value that it may not have.
func TestEveryFieldOfEveryCallRefusesAWrongType(t *testing.T) {
	t.Parallel()
	s := newBadFixture(t)
	openAPI, err := readDocument("../api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	before, calls := s.state(t), 0
	ids := strings.NewReplacer("{conv_id}", "$C", "{msg_id}", "$M", "{client_id}", "$A")
	for path, item := range openAPI["paths"].(map[string]any) {
		for method, operation := range item.(map[string]any) {
			link, call := s.subst.Replace(ids.Replace(path)), strings.ToUpper(method)+" "+path
			body := inside(operation, "requestBody", "content", "application/json")
			for _, f := range wrongTypes(call, inside(body, "schema")) {
				data := maps.Clone(inside(body, "example"))
				if data == nil {
					data = obj{}
				}
				data[f.field] = f.wrong
				f.wantRefused(t, s.a.s.call(t, strings.ToUpper(method), link, s.a.server(), data))
				calls++
			}
			parameters, _ := operation.(map[string]any)["parameters"].([]any)
			for _, p := range parameters {
				name, _ := p.(map[string]any)["name"].(string)
				if inside(p, "schema")["type"] != "integer" {
					continue
				}
				for _, wrong := range []string{"x", "1.5", "1e2", "0x1", " ", "99999999999999999999"} {
					f := typed{call, name, wrong}
					f.wantRefused(t, s.a.s.call(t, strings.ToUpper(method), link+"?"+url.Values{name: {wrong}}.Encode(), s.a.server(), nil))
					calls++
				}
			}
		}
	}
	for name, message := range contract.messages {
		if strings.Contains(name, ".success") || strings.Contains(name, ".error") || strings.HasPrefix(name, "on.") || name == "login" {
			continue
		}
		payload := inside(message, "payload", "properties")
		for _, f := range wrongTypes(name, inside(payload, "data")) {
			data := obj{}
			if examples, _ := message.(map[string]any)["examples"].([]any); len(examples) > 0 {
				maps.Copy(data, inside(examples[0], "payload", "data"))
			}
			data[f.field] = f.wrong
			f.wantRefused(t, s.client.askRaw(t, name, jsonOf(data)))
			calls++
		}
	}
	if after := s.state(t); after != before {
		t.Errorf("%d refused calls have changed the state\nbefore %s\n after %s", calls, before, after)
	}
	t.Logf("%d calls", calls)
}
