package rows

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
)

func TestEveryRowIsDocumentedAndAlone(t *testing.T) {
	names, routes := map[string]bool{}, map[string]bool{}
	word := regexp.MustCompile(`^[a-z]+(\.[a-z_]+)*$`)
	for _, op := range New(Deps{}).Rows() {
		if !word.MatchString(op.Name) || names[op.Name] {
			t.Errorf("%s: a name is words with dots between, and used once", op.Name)
		}
		route := op.Method + " " + op.Path
		switch {
		case op.REST() && (routes[route] || !strings.HasPrefix(op.Path, "/im/")):
			t.Errorf("%s: route %s is used twice, or not below /im/", op.Name, route)
		case !op.REST() && (op.Method != "" || !op.Socket()):
			t.Errorf("%s: has no route and is for no socket, or half a route", op.Name)
		}
		names[op.Name], routes[route] = true, true
		checkDoc(t, op.Name, op.Doc)
		checkTags(t, op.Name+" request", reflect.TypeOf(op.Request))
		if op.Answer != any(ops.Done{}) {
			checkTags(t, op.Name+" answer", reflect.TypeOf(op.Answer))
		}
		checkPath(t, op)
	}
}

func TestEveryEventAndCommandIsDocumented(t *testing.T) {
	for _, e := range Events {
		checkDoc(t, e.Name, e.Doc)
		checkTags(t, e.Name, reflect.TypeOf(e.Data))
	}
	for _, c := range Commands {
		checkDoc(t, c.Name, c.Doc)
		for _, v := range []any{c.Request, c.Answer} {
			if v != nil {
				checkTags(t, c.Name, reflect.TypeOf(v))
			}
		}
	}
}

func checkDoc(t *testing.T, name string, d ops.Doc) {
	t.Helper()
	if !strings.HasSuffix(d.EN, ".") || !strings.HasSuffix(d.ZH, "。") {
		t.Errorf("%s: the documentation is not sentences in both languages: %q, %q", name, d.EN, d.ZH)
	}
}

// checkPath wants each parameter of the path to be a field that must be there.
func checkPath(t *testing.T, op *ops.Op) {
	t.Helper()
	for _, m := range regexp.MustCompile(`{(\w+)}`).FindAllStringSubmatch(op.Path, -1) {
		found := false
		for _, f := range reflect.VisibleFields(reflect.TypeOf(op.Request)) {
			if f.Tag.Get("json") == m[1] {
				found = f.Tag.Get("need") != "" || op.Need == skein.NeedSelf || op.Need == skein.NeedClient
			}
		}
		if !found {
			t.Errorf("%s: {%s} is no field of its request that must be there", op.Name, m[1])
		}
	}
}

// checkTags wants the name and both languages at every field, all the way down.
func checkTags(t *testing.T, where string, typ reflect.Type) {
	t.Helper()
	for typ.Kind() == reflect.Slice || typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || typ.Implements(reflect.TypeFor[json.UnmarshalerFrom]()) ||
		reflect.PointerTo(typ).Implements(reflect.TypeFor[json.UnmarshalerFrom]()) {
		return
	}
	for f := range typ.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous:
		case name == "-":
			continue
		case f.Tag.Get("old") == "1" && name != "": // read, but in no document
		case name == "", f.Tag.Get("en") == "", f.Tag.Get("zh") == "":
			t.Errorf("%s: field %s has the tags %q, want json, en and zh", where, f.Name, f.Tag)
		}
		checkTags(t, where+"."+name, f.Type)
	}
}

func TestWhatEverybodyIsToldAndWhatCostsMuchCountsAsSending(t *testing.T) {
	counted := []string{
		"msg.send", "msg.edit", "msg.recall", "msg.react", "msg.pin", "user.update",
		"conv.create", "conv.update", "conv.delete", "conv.join", "conv.leave", "conv.mute_all",
		"conv.members.add", "conv.members.remove", "conv.members.update", "conv.read_all", "msg.find",
	}
	for _, op := range New(Deps{}).Rows() {
		if (op.Policy.Messages > 0) != slices.Contains(counted, op.Name) {
			t.Errorf("%s: counts as a send: %v", op.Name, (op.Policy.Messages > 0))
		}
	}
}
