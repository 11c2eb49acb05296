// Package calls plays the examples of the API reference with the Go client that
// oapi-codegen makes. scripts/clients.sh writes that client into the directory api
// beside a copy of this file, and starts the server.
package calls

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/skein-im/skein/tools/clients/go/api"
)

var (
	server    = flag.String("server", "", "base URL of a fresh `skein serve --dev`")
	document  = flag.String("document", "", "file of the OpenAPI document")
	reference = flag.String("reference", "", "file of the API reference")
)

func TestTheClientMakesEachCallOfTheReference(t *testing.T) {
	client, err := api.NewClientWithResponses(*server)
	if err != nil {
		t.Fatal(err)
	}
	operations := operationsOf(t, read(t, *document))
	called := map[string]bool{}
	var ids ids
	for _, line := range examplesOf(read(t, *reference)) {
		e := parseExample(t, ids.renew(line))
		o, path := find(t, operations, e)
		answer, body := call(t, client, o, path, e)
		checkAnswer(t, line, answer, body)
		ids.keep(o, body)
		called[o.id] = true
	}
	for _, o := range operations {
		if !called[o.id] {
			t.Errorf("no example calls %s", o.id)
		}
	}
}

func TestARefusalFitsTheTypeOfItsStatus(t *testing.T) {
	client, err := api.NewClientWithResponses(*server, api.WithRequestEditorFn(headers(http.Header{
		"app-id": {"666666"}, "app-key": {"master"},
	})))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.ConvGetWithResponse(t.Context(), strings.Repeat("0", 32))
	if err != nil {
		t.Fatal(err)
	}
	if answer.JSON404 == nil || answer.JSON404.Code != 4011 {
		t.Errorf("got %d %s, want a refusal with code 4011 in JSON404", answer.StatusCode(), answer.Body)
	}
}

// checkAnswer wants a success that its type holds without losing a field.
func checkAnswer(t *testing.T, line string, answer reflect.Value, body []byte) {
	t.Helper()
	success := answer.Elem().FieldByName("JSON200")
	if !success.IsValid() || success.IsNil() {
		t.Errorf("%s\ngot %s, want an answer in JSON200", line, body)
		return
	}
	if code := success.Elem().FieldByName("Code").Int(); code != 0 {
		t.Errorf("%s\ngot code %d, want 0", line, code)
	}
	strict := json.NewDecoder(bytes.NewReader(body))
	strict.DisallowUnknownFields()
	if err := strict.Decode(reflect.New(success.Type().Elem()).Interface()); err != nil {
		t.Errorf("%s\n%s does not fit %s: %v", line, body, success.Type().Elem(), err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
