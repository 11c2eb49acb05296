package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// contract holds every answer and frame that the tests see against the documents
// that clients are generated from, more strictly than those say: no field may come
// that they do not name. What does not fit fails the run.
var contract = &documents{faults: map[string]string{}}

// documents are api/openapi.yaml and api/asyncapi.yaml.
type documents struct {
	compiler *jsonschema.Compiler
	routes   []route
	messages map[string]any // of the socket

	mu      sync.Mutex
	schemas map[string]*jsonschema.Schema // by JSON pointer; guarded by mu
	faults  map[string]string             // the first of each kind; guarded by mu
}

// route is one operation of the OpenAPI document.
type route struct {
	method    string
	path      *regexp.Regexp
	at        string // JSON pointer
	responses map[string]any
}

func (d *documents) load(dir string) error {
	openAPI, err := readDocument(dir + "/openapi.yaml")
	if err != nil {
		return err
	}
	asyncAPI, err := readDocument(dir + "/asyncapi.yaml")
	if err != nil {
		return err
	}
	for path, item := range openAPI["paths"].(map[string]any) {
		for method, operation := range item.(map[string]any) {
			d.routes = append(d.routes, route{
				method: strings.ToUpper(method), path: pathPattern(path),
				at:        "/paths/" + pointer(path) + "/" + method,
				responses: operation.(map[string]any)["responses"].(map[string]any),
			})
		}
	}
	d.messages = asyncAPI["components"].(map[string]any)["messages"].(map[string]any)
	d.schemas = map[string]*jsonschema.Schema{}
	d.compiler = jsonschema.NewCompiler()
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	if err := d.compiler.AddResource("openapi", any(openAPI)); err != nil {
		return err
	}
	return d.compiler.AddResource("asyncapi", any(asyncAPI))
}

// readDocument reads a document and closes its objects: a field that it does not
// name is a fault.
func readDocument(name string) (map[string]any, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	closeObjects(doc)
	return doc, nil
}

func closeObjects(node any) {
	switch node := node.(type) {
	case map[string]any:
		if _, ok := node["properties"].(map[string]any); ok && node["type"] == "object" {
			node["additionalProperties"] = false
		}
		for _, child := range node {
			closeObjects(child)
		}
	case []any:
		for _, child := range node {
			closeObjects(child)
		}
	}
}

var parameter = regexp.MustCompile(`\\{[^/]+\\}`)

func pathPattern(path string) *regexp.Regexp {
	return regexp.MustCompile("^" + parameter.ReplaceAllString(regexp.QuoteMeta(path), "[^/]+") + "$")
}

// pointer escapes a key for a JSON pointer.
func pointer(key string) string {
	return url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(key))
}

// rest checks one answer of REST.
func (d *documents) rest(req *http.Request, body []byte, a *answer) {
	method := req.Method
	if method == http.MethodPost && req.URL.Path == "/im/conversations" && len(body) == 0 && req.URL.Query().Has("where") {
		method = http.MethodGet // conv.query, as the original document sends it
	}
	i := slices.IndexFunc(d.routes, func(r route) bool { return r.method == method && r.path.MatchString(req.URL.Path) })
	if i < 0 || oldForm(req, body) || a.Code == 4040 { // 4040: a path that only looks like one of these
		return
	}
	r, status := d.routes[i], strconv.Itoa(a.Status)
	what := method + " " + r.path.String() + " " + status
	response, ok := r.responses[status].(map[string]any)
	if !ok {
		d.fault(what+": the document lacks this status", a.Raw)
		return
	}
	if codes, ok := response["x-codes"].([]any); ok && !slices.Contains(codes, any(a.Code)) {
		d.fault(what+": the document lacks code "+strconv.Itoa(a.Code), a.Raw)
	}
	d.check(what, "openapi#"+r.at+"/responses/"+status+"/content/application~1json/schema", a.Raw)
}

// oldForm reports whether a call is one that the documents do not show any more:
// conv.members with the parameters of conv.members.list.
func oldForm(req *http.Request, body []byte) bool {
	if req.Method != http.MethodGet || !strings.HasSuffix(req.URL.Path, "/members") {
		return false
	}
	var fields map[string]any
	_ = json.Unmarshal(body, &fields)
	for _, name := range []string{"page", "size", "cursor", "detail"} {
		if _, inBody := fields[name]; inBody || req.URL.Query().Has(name) {
			return true
		}
	}
	return false
}

// frame checks one frame of the socket.
func (d *documents) frame(typ string, raw []byte) {
	key := typ
	switch {
	case d.messages["on."+typ] != nil && !bytes.Contains(raw, []byte(`"msg":`)):
		key = "on." + typ
	case d.messages[typ] == nil && strings.HasSuffix(typ, ".error"):
		key = "unknown.error"
	}
	if d.messages[key] == nil {
		d.fault("frame "+typ+": no message of the document has this type", raw)
		return
	}
	d.check("frame "+key, "asyncapi#/components/messages/"+pointer(key)+"/payload", raw)
}

// hook checks one event of a webhook, or a batch.
func (d *documents) hook(typ string, raw []byte) {
	key := "webhook." + typ
	if d.messages[key] == nil {
		d.fault(key+": no message of the document has this type", raw)
		return
	}
	d.check(key, "asyncapi#/components/messages/"+pointer(key)+"/payload", raw)
}

func (d *documents) check(what, at string, raw []byte) {
	schema, err := d.schema(at)
	if err != nil {
		d.fault(what+": "+err.Error(), nil)
		return
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		d.fault(what+": no JSON", raw)
		return
	}
	if err := schema.Validate(value); err != nil {
		d.fault(what+": "+err.Error(), raw)
	}
}

func (d *documents) schema(at string) (*jsonschema.Schema, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.schemas[at]; s != nil {
		return s, nil
	}
	s, err := d.compiler.Compile(at)
	d.schemas[at] = s
	return s, err
}

func (d *documents) fault(what string, raw []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.faults[what] == "" {
		d.faults[what] = string(raw[:min(len(raw), 600)]) + " "
	}
}

// verdict is an error where an answer or a frame did not fit.
func (d *documents) verdict() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.faults) == 0 {
		return nil
	}
	var text strings.Builder
	for _, what := range slices.Sorted(maps.Keys(d.faults)) {
		fmt.Fprintf(&text, "\n%s\n\tin %s", what, d.faults[what])
	}
	return fmt.Errorf("%d kinds of answers or frames do not fit the documents in api/:%s", len(d.faults), text.String())
}

func TestTheContractSeesWhatTheDocumentsDoNotSay(t *testing.T) {
	get := func(path string) *http.Request {
		req, err := http.NewRequest(http.MethodGet, "http://127.0.0.1"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		return req
	}
	for name, tt := range map[string]struct {
		try  func(d *documents)
		good bool
	}{
		"an answer as documented": {func(d *documents) {
			d.rest(get("/im/presence"), nil, &answer{Status: 405, Raw: []byte(`{}`)}) // no operation of the document
			d.rest(get("/im/conversations/x/members"), nil, &answer{Status: 200, Raw: []byte(`{"code":0,"message":"ok","data":["Tom"],"request-id":null}`)})
		}, true},
		"a field beside the documented ones": {func(d *documents) {
			d.rest(get("/im/conversations/x/members"), nil, &answer{Status: 200, Raw: []byte(`{"code":0,"message":"ok","data":["Tom"],"request-id":null,"more":1}`)})
		}, false},
		"another shape": {func(d *documents) {
			d.rest(get("/im/conversations/x/members"), nil, &answer{Status: 200, Raw: []byte(`{"code":0,"message":"ok","data":{"data":[]},"request-id":null}`)})
		}, false},
		"a status that is not declared": {func(d *documents) {
			d.rest(get("/im/users"), nil, &answer{Status: 418, Code: 4406, Raw: []byte(`{"code":4406,"message":"x","data":null,"request-id":null}`)})
		}, false},
		"a code that is not declared": {func(d *documents) {
			d.rest(get("/im/users"), nil, &answer{Status: 400, Code: 4405, Raw: []byte(`{"code":4405,"message":"x","data":null,"request-id":null}`)})
		}, false},
		"frames as documented": {func(d *documents) {
			d.frame("pong", []byte(`{"type":"pong","data":{"time":1}}`))
			d.frame("conv.dance.error", []byte(`{"type":"conv.dance.error","msg":"x","code":4406,"data":null,"id":"1"}`))
		}, true},
		"a frame of no documented type": {func(d *documents) { d.frame("news", []byte(`{"type":"news","data":{}}`)) }, false},
		"a frame with a field more":     {func(d *documents) { d.frame("pong", []byte(`{"type":"pong","data":{"time":1,"zone":"UTC"}}`)) }, false},
	} {
		d := &documents{faults: map[string]string{}}
		if err := d.load("../api"); err != nil {
			t.Fatal(err)
		}
		tt.try(d)
		if err := d.verdict(); (err == nil) != tt.good {
			t.Errorf("%s: got %v, want it to fit: %v", name, err, tt.good)
		}
	}
}
