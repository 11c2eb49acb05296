package reference

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-json-experiment/json"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops/adminrows"
	"github.com/skein-im/skein/internal/wire/strict"
)

func TestTheDocumentOfTheAdminAPIIsValidAndItsExamplesFit(t *testing.T) {
	c, err := newCatalogue(adminrows.New(adminrows.Deps{}).Rows())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(mustFiles(t)["api/admin.yaml"])
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, o := range c.all() {
		operation := doc.Paths.Value(o.Path).GetOperation(o.Method)
		if operation == nil || operation.OperationID != o.identifier() {
			t.Errorf("%s %s is not %s", o.Method, o.Path, o.Name)
		}
		if !strings.HasPrefix(o.Path, adminrows.Prefix+"/") || o.Need != skein.NeedOperator || o.Role == skein.OperatorNone || o.Socket() {
			t.Errorf("%s: path %s, need %d, role %q, by socket %v: want an op of operators alone", o.Name, o.Path, o.Need, o.Role, o.Socket())
		}
		if !slices.IsSorted(o.Codes) {
			t.Errorf("%s: codes %v are not in order", o.Name, o.Codes)
		}
		for _, code := range o.Codes {
			if slices.Contains(operatorsCall, code) || faultOf(code) == nil {
				t.Errorf("%s: code %d is every call's, or nobody's", o.Name, code)
			}
		}
		in := reflect.New(reflect.TypeOf(o.Request)).Interface()
		if err := json.Unmarshal([]byte(o.request), in, json.RejectUnknownMembers(true)); err != nil {
			t.Errorf("%s: request %s: %v", o.Name, o.request, err)
		}
		if err := strict.Decode([]byte(o.request), in); err != nil {
			t.Errorf("%s: request %s: %v", o.Name, o.request, err)
		}
	}
}
