package calls

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/jpeg"
	"io"
	"mime/multipart"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/skein-im/skein/tools/clients/go/api"
)

var (
	lineOfDocument = regexp.MustCompile(`(?m)^(?:  (/\S+)|    (get|put|post|patch|delete)|      operationId: (\w+))(?::?)$`)
	parameter      = regexp.MustCompile(`\\\{\w+\\\}`)
)

// operation is one of the OpenAPI document.
type operation struct {
	id, method string
	path       *regexp.Regexp // a group for each parameter
}

func operationsOf(t *testing.T, document string) []operation {
	t.Helper()
	var all []operation
	var next operation
	for _, line := range lineOfDocument.FindAllStringSubmatch(document, -1) {
		switch {
		case line[1] != "":
			path := strings.TrimSuffix(line[1], ":")
			next.path = regexp.MustCompile("^" + parameter.ReplaceAllString(regexp.QuoteMeta(path), "([^/]+)") + "$")
		case line[2] != "":
			next.method = strings.ToUpper(line[2])
		default:
			next.id = line[3]
			all = append(all, next)
		}
	}
	if want := strings.Count(document, "operationId:"); len(all) != want {
		t.Fatalf("got %d operations of the document, want %d", len(all), want)
	}
	return all
}

// find is the operation an example calls, with the parameters of its path.
func find(t *testing.T, operations []operation, e example) (operation, []string) {
	t.Helper()
	for _, o := range operations {
		if found := o.path.FindStringSubmatch(e.path); found != nil && o.method == e.method {
			return o, found[1:]
		}
	}
	t.Fatalf("%s\nno operation of the document is %s %s", e.line, e.method, e.path)
	return operation{}, nil
}

// call makes the call by the client's method for the operation: the parameters of
// the path, then those of the query, then the body, each in its generated type.
func call(t *testing.T, client *api.ClientWithResponses, o operation, path []string, e example) (answer reflect.Value, body []byte) {
	t.Helper()
	name := strings.ToUpper(o.id[:1]) + o.id[1:]
	args := []any{t.Context()}
	for _, p := range path {
		args = append(args, p)
	}
	method := reflect.ValueOf(client).MethodByName(name + "WithResponse")
	if e.file != "" {
		kind, form := upload(t, e.file)
		args = append(args, kind, form)
		method = reflect.ValueOf(client).MethodByName(name + "WithBodyWithResponse")
	}
	if !method.IsValid() {
		t.Fatalf("%s\nthe client has no method for %s", e.line, o.id)
	}
	in := make([]reflect.Value, 0, len(args)+2)
	for _, a := range args {
		in = append(in, reflect.ValueOf(a))
	}
	for len(in) < method.Type().NumIn()-1 { // the last are request editors
		in = append(in, filled(t, method.Type().In(len(in)), e))
	}
	out := method.Call(append(in, reflect.ValueOf(headers(e.header))))
	if err, _ := out[1].Interface().(error); err != nil {
		t.Fatalf("%s\n%s: %v", e.line, o.id, err)
	}
	body, _ = out[0].Elem().FieldByName("Body").Interface().([]byte)
	return out[0], body
}

// filled is a generated type that holds what the example asks: a pointer to a struct
// the query, a struct the body.
func filled(t *testing.T, kind reflect.Type, e example) reflect.Value {
	t.Helper()
	text, holder := []byte(e.body), kind
	if kind.Kind() == reflect.Pointer {
		text, holder = queryObject(t, e), kind.Elem()
	}
	v := reflect.New(holder)
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(v.Interface()); err != nil {
		t.Fatalf("%s\n%s does not fit %s: %v", e.line, text, holder, err)
	}
	if kind.Kind() == reflect.Pointer {
		return v
	}
	return v.Elem()
}

// queryObject is the query as JSON: what is not JSON itself is a string.
func queryObject(t *testing.T, e example) []byte {
	t.Helper()
	fields := map[string]json.RawMessage{}
	for name := range e.query {
		value := e.query.Get(name)
		if !json.Valid([]byte(value)) {
			value = strconv.Quote(value)
		}
		fields[name] = json.RawMessage(value)
	}
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func headers(h http.Header) api.RequestEditorFn {
	return func(_ context.Context, r *http.Request) error {
		for name := range h {
			r.Header[name] = h[name]
		}
		return nil
	}
}

// upload is a form with a small photo.
func upload(t *testing.T, name string) (kind string, form io.Reader) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(part, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), &b
}
