package reference

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"
)

// parsed are the two documents as programs read them.
func parsed(t *testing.T) map[string]map[string]any {
	t.Helper()
	files, docs := mustFiles(t), map[string]map[string]any{}
	for _, name := range []string{"api/openapi.yaml", "api/asyncapi.yaml"} {
		var doc map[string]any
		if err := yaml.Unmarshal(files[name], &doc); err != nil {
			t.Fatal(err)
		}
		docs[name] = doc
	}
	return docs
}

// eachSchema calls f for every mapping of a document that is a schema, with the way
// to it. Examples and extensions are no schemas.
func eachSchema(at string, node any, f func(at string, schema map[string]any)) {
	switch node := node.(type) {
	case map[string]any:
		for _, word := range []string{"type", "enum", "const", "properties", "items", "anyOf", "oneOf", "allOf"} {
			if _, there := node[word]; there {
				f(at, node)
				break
			}
		}
		for key, value := range node {
			if !strings.HasPrefix(key, "example") && !strings.HasPrefix(key, "x-") {
				eachSchema(at+"/"+key, value, f)
			}
		}
	case []any:
		for i, value := range node {
			eachSchema(at+"/"+strconv.Itoa(i), value, f)
		}
	}
}

// typesOf are the types of a schema but null.
func typesOf(schema map[string]any) []any {
	list, ok := schema["type"].([]any)
	if !ok {
		list = []any{schema["type"]}
	}
	return slices.DeleteFunc(slices.Clone(list), func(t any) bool { return t == "null" || t == nil })
}

func TestEverySchemaHasOneShape(t *testing.T) {
	for name, doc := range parsed(t) {
		eachSchema("", doc, func(at string, schema map[string]any) {
			if _, isSchema := schema["type"].(map[string]any); isSchema || strings.HasSuffix(at, "/properties") {
				return // a property with the name type
			}
			if kinds := typesOf(schema); len(kinds) > 1 {
				t.Errorf("%s%s: types %v, want one", name, at, kinds)
			}
			_, alternatives := schema["anyOf"]
			if one, ok := schema["oneOf"].([]any); ok {
				null, _ := one[len(one)-1].(map[string]any)
				alternatives = len(one) != 2 || null["type"] != "null"
			}
			if alternatives {
				t.Errorf("%s%s: several shapes, want one", name, at)
			}
			_, enum := schema["enum"]
			_, constant := schema["const"]
			if (enum || constant) && schema["type"] == nil {
				t.Errorf("%s%s: enum or const without a type", name, at)
			}
		})
	}
}

func TestUnixMillisecondsAndNumbersThatGrowHave64Bits(t *testing.T) {
	for name, doc := range parsed(t) {
		eachSchema("", doc, func(at string, schema map[string]any) {
			text, _ := schema["description"].(string)
			grows := strings.HasSuffix(at, "seq") || strings.HasSuffix(at, "_ms") || strings.Contains(text, "Unix ms")
			if slices.Contains(typesOf(schema), any("integer")) && grows && schema["format"] != "int64" {
				t.Errorf("%s%s: format %v, want int64", name, at, schema["format"])
			}
		})
	}
}

var identifier = regexp.MustCompile(`^[a-z][A-Za-z0-9]*$`)

func TestEveryOperationHasItsOwnIdentifierAndATag(t *testing.T) {
	doc := mustOpenAPI(t)
	seen, tags := map[string]bool{}, map[string]bool{}
	for _, tag := range doc.Tags {
		tags[tag.Name] = true
	}
	for path, item := range doc.Paths.Map() {
		for method, o := range item.Operations() {
			if !identifier.MatchString(o.OperationID) || seen[strings.ToLower(o.OperationID)] {
				t.Errorf("%s %s: operationId %q is no identifier, or another's too", method, path, o.OperationID)
			}
			seen[strings.ToLower(o.OperationID)] = true
			if len(o.Tags) != 1 || !tags[o.Tags[0]] {
				t.Errorf("%s %s: tags %v, want one that is declared", method, path, o.Tags)
			}
		}
	}
}

func TestNoTwoComponentsShareAName(t *testing.T) {
	for name, doc := range parsed(t) {
		components, _ := doc["components"].(map[string]any)
		where := map[string]string{}
		for _, kind := range slices.Sorted(maps.Keys(components)) {
			if kind == "messages" {
				continue // of AsyncAPI: frames by their type, with a dot but for the shortest
			}
			list, _ := components[kind].(map[string]any)
			for component := range list {
				key := strings.ToLower(component)
				if where[key] != "" {
					t.Errorf("%s: %s is in %s and in %s", name, component, where[key], kind)
				}
				where[key] = kind
			}
		}
	}
}

func mustOpenAPI(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(mustFiles(t)["api/openapi.yaml"])
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// Refusals of the transport that any REST call may get, whatever the op.
func TestEveryRESTCallDeclaresWhatTheTransportRefuses(t *testing.T) {
	for path, item := range mustOpenAPI(t).Paths.Map() {
		for method, o := range item.Operations() {
			for status, code := range map[string]int{
				"400": 4406, // app headers that differ, a query that cannot be read
				"401": 4003, "403": 4004, "408": 4080,
				"413": 4130, "415": 4406, "429": 4290, "431": 4130, "500": 1, "503": 5030,
			} {
				response := o.Responses.Value(status)
				if response == nil || !slices.Contains(codesDeclared(response.Value), code) {
					t.Errorf("%s %s: status %s does not declare code %d", method, path, status, code)
				}
			}
		}
	}
}

func codesDeclared(r *openapi3.Response) []int {
	var codes []int
	list, _ := r.Extensions["x-codes"].([]any)
	for _, v := range list {
		var code int
		if _, err := fmt.Sscan(fmt.Sprint(v), &code); err == nil {
			codes = append(codes, code)
		}
	}
	return codes
}

func TestTheSocketDeclaresTheAnswerToAnUnknownCommand(t *testing.T) {
	doc := parsed(t)["api/asyncapi.yaml"]
	components, _ := doc["components"].(map[string]any)
	messages, _ := components["messages"].(map[string]any)
	message, _ := messages["unknown.error"].(map[string]any)
	payload, _ := message["payload"].(map[string]any)
	properties, _ := payload["properties"].(map[string]any)
	typ, _ := properties["type"].(map[string]any)
	if pattern, _ := typ["pattern"].(string); pattern == "" || !regexp.MustCompile(pattern).MatchString("conv.dance.error") {
		t.Errorf("no message has the type conv.dance.error: unknown.error is %v", message)
	}
}
