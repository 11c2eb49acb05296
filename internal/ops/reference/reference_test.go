package reference

import (
	"bytes"
	"context"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/ops/rows"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/strict"
)

// root is the repository, from here.
const root = "../../.."

func mustFiles(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func mustCatalogue(t *testing.T) *catalogue {
	t.Helper()
	c, err := newCatalogue(rows.New(rows.Deps{}).Rows())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheCheckedInFilesAreWhatTheTableGives(t *testing.T) {
	files := mustFiles(t)
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the op table gives (%v): run make gen", name, err)
		}
	}
	lying, err := fs.Glob(os.DirFS(root), GoldenDir+"/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range lying {
		if files[name] == nil {
			t.Errorf("%s belongs to nothing: run make gen", name)
		}
	}
}

func TestTheSameTableGivesTheSameBytes(t *testing.T) {
	first, second := mustFiles(t), mustFiles(t)
	for name := range first {
		if !bytes.Equal(first[name], second[name]) {
			t.Errorf("%s differs from one time to the next", name)
		}
	}
}

func TestTheOpenAPIDocumentIsValidAndItsExamplesFit(t *testing.T) {
	doc := mustOpenAPI(t)
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	fits := schemasOf(t, "api/openapi.yaml")
	for _, o := range mustCatalogue(t).all() {
		if !o.REST() {
			continue
		}
		operation := doc.Paths.Value(o.Path).GetOperation(o.Method)
		if operation == nil || operation.OperationID != o.identifier() {
			t.Errorf("%s %s is not %s", o.Method, o.Path, o.Name)
			continue
		}
		at := "/paths/" + pointer(o.Path) + "/" + strings.ToLower(o.Method)
		answer, err := o.envelope()
		if err != nil {
			t.Fatal(err)
		}
		fits(at+"/responses/200/content/application~1json/schema", answer)
		if operation.RequestBody == nil || o.form() {
			continue
		}
		values, err := o.values()
		if err != nil {
			t.Fatal(err)
		}
		fits(at+"/requestBody/content/application~1json/schema", []byte(o.body(values)))
	}
}

// pointer is a key as it stands in a JSON pointer.
func pointer(key string) string {
	return url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(key))
}

// schemasOf holds values against the schemas that stand in a document, by their
// JSON pointers.
func schemasOf(t *testing.T, document string) (fits func(at string, value []byte)) {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	if err := compiler.AddResource("document", any(parsed(t)[document])); err != nil {
		t.Fatal(err)
	}
	return func(at string, value []byte) {
		t.Helper()
		schema, err := compiler.Compile("document#" + at)
		if err != nil {
			t.Fatal(err)
		}
		instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
		if err != nil {
			t.Fatalf("%s: %v in %s", at, err, value)
		}
		if err := schema.Validate(instance); err != nil {
			t.Errorf("%s: %s does not fit: %v", at, value, err)
		}
	}
}

func TestTheAsyncAPIDocumentHoldsTogether(t *testing.T) {
	var doc map[string]any
	if err := yaml.Unmarshal(mustFiles(t)["api/asyncapi.yaml"], &doc); err != nil {
		t.Fatal(err)
	}
	eachRef(doc, func(ref string) {
		var at any = doc
		for key := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			at, _ = at.(map[string]any)[key]
			if at == nil {
				t.Errorf("%s leads nowhere", ref)
				return
			}
		}
	})
	operations := doc["operations"].(map[string]any)
	for _, o := range mustCatalogue(t).all() {
		if (operations[o.Name] != nil) != o.Socket() {
			t.Errorf("%s: there %v, callable by socket %v", o.Name, operations[o.Name] != nil, o.Socket())
		}
	}
	for _, c := range rows.Commands {
		if operations[c.Name] == nil {
			t.Errorf("%s is not there", c.Name)
		}
	}
	for _, e := range rows.Events {
		if operations["on."+e.Name] == nil {
			t.Errorf("%s is not there", e.Name)
		}
	}
	for _, name := range append(slices.Clone(skein.WebhookEvents), skein.HookTest, "batch") {
		if operations["webhook."+name] == nil {
			t.Errorf("the event %s of webhooks is not there", name)
		}
	}
}

// eachRef calls f for every $ref in a document.
func eachRef(node any, f func(string)) {
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			if text, ok := value.(string); ok && key == "$ref" {
				f(text)
			}
			eachRef(value, f)
		}
	case []any:
		for _, value := range node {
			eachRef(value, f)
		}
	}
}

func TestTheCodesAreOfTheTable(t *testing.T) {
	known := map[string]bool{}
	for _, o := range mustCatalogue(t).all() {
		known[o.Name] = true
		for _, code := range o.Codes {
			if slices.Contains(everyCall, code) || faultOf(code) == nil {
				t.Errorf("%s: code %d is every call's, or nobody's", o.Name, code)
			}
		}
		if !slices.IsSorted(o.Codes) {
			t.Errorf("%s: codes %v are not in order", o.Name, o.Codes)
		}
	}
	for code := range whens {
		if code != 0 && faultOf(code) == nil && code != 1 {
			t.Errorf("code %d is explained but not in the table", code)
		}
	}
}

func TestExamplesAreReadAsRequestsAndWrittenAsAnswers(t *testing.T) {
	for _, o := range mustCatalogue(t).all() {
		in := reflect.New(reflect.TypeOf(o.Request)).Interface()
		if err := json.Unmarshal([]byte(o.request), in, json.RejectUnknownMembers(true)); err != nil {
			t.Errorf("%s: request %s: %v", o.Name, o.request, err)
		}
		if err := strict.Decode([]byte(o.request), in); err != nil {
			t.Errorf("%s: request %s: %v", o.Name, o.request, err)
		}
		if _, err := wire.ParseFrame(o.command()); err != nil {
			t.Errorf("%s: command %s: %v", o.Name, o.command(), err)
		}
		if got, want := reflect.TypeOf(o.answer), reflect.TypeOf(o.Answer); got != want {
			t.Errorf("%s: the example answers %v, the op %v", o.Name, got, want)
		}
	}
}

func TestGoldenCommandsAreRead(t *testing.T) {
	read := 0
	for name, content := range mustFiles(t) {
		var golden struct{ Command jsontext.Value }
		if path.Dir(name) != GoldenDir {
			continue
		}
		if err := json.Unmarshal(content, &golden, json.MatchCaseInsensitiveNames(true)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if golden.Command == nil {
			continue
		}
		read++
		frame, err := wire.ParseFrame(golden.Command)
		if want := strings.TrimSuffix(path.Base(name), ".json"); err != nil || frame.Type != want || string(frame.ID) != `"1"` {
			t.Errorf("%s: got type %q, id %s, %v", name, frame.Type, frame.ID, err)
		}
	}
	if read < 40 {
		t.Errorf("only %d golden files have a command", read)
	}
}

func TestAFieldWithoutATextIsAnError(t *testing.T) {
	for name, v := range map[string]any{
		"no Chinese": struct {
			A string `json:"a" en:"a"`
		}{},
		"no English": struct {
			A string `json:"a" zh:"甲"`
		}{},
	} {
		if fields, err := fieldsOf(reflect.TypeOf(v)); err == nil {
			t.Errorf("%s: got %v, want an error", name, fields)
		}
	}
}

func TestAnOpWithoutWordsCodesOrAnExampleIsAnError(t *testing.T) {
	words := ops.Doc{EN: "Dances.", ZH: "跳舞。"}
	for name, tt := range map[string]struct {
		op      ops.Op
		request string
	}{
		"no Chinese": {ops.Op{Doc: ops.Doc{EN: "Dances."}, Codes: []int{4011}}, "{}"},
		"no English": {ops.Op{Doc: ops.Doc{ZH: "跳舞。"}, Codes: []int{4011}}, "{}"},
		"no codes":   {ops.Op{Doc: words}, "{}"},
		"no example": {ops.Op{Doc: words, Codes: []int{4011}}, ""},
	} {
		run := func(context.Context, skein.Actor, struct{}) (ops.Done, error) { return ops.Done{}, nil }
		row := ops.Row("conv.dance", tt.op, run, func() (string, ops.Done) { return tt.request, ops.Done{} })
		if _, err := newCatalogue([]*ops.Op{row}); err == nil {
			t.Errorf("%s: got no error", name)
		}
		tt.op.Doc, tt.op.Codes = words, []int{4011}
		row = ops.Row("conv.dance", tt.op, run, func() (string, ops.Done) { return "{}", ops.Done{} })
		if _, err := newCatalogue([]*ops.Op{row}); err != nil {
			t.Errorf("%s, completed: got error %v", name, err)
		}
	}
}
