package reference

import (
	"cmp"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
)

// catalogue is the op table with what the reference says beyond it.
type catalogue struct {
	groups []group
}

// group is a chapter: the ops whose names begin with one of its words.
type group struct {
	words []string
	title ops.Doc
	ops   []op
}

// about names the ops of the chapter.
func (g group) about() string {
	names := make([]string, len(g.ops))
	for i, o := range g.ops {
		names[i] = o.Name
	}
	return "The operations " + strings.Join(names, ", ") + "."
}

// op is one row of the table with its notes.
type op struct {
	*ops.Op
	notes

	fields []field // of the request
}

// titles are the chapters in the order of the reference, by the first word of an
// op's name.
var titles = []group{
	{words: []string{"user"}, title: ops.Doc{EN: "Users", ZH: "用户"}},
	{words: []string{"conv", "sync"}, title: ops.Doc{EN: "Conversations", ZH: "会话"}},
	{words: []string{"msg", "changes"}, title: ops.Doc{EN: "Messages", ZH: "消息"}},
	{words: []string{"presence", "typing"}, title: ops.Doc{EN: "Presence and typing", ZH: "在线状态与输入状态"}},
	{words: []string{"file"}, title: ops.Doc{EN: "Files", ZH: "文件"}},
}

func newCatalogue(rows []*ops.Op) (*catalogue, error) {
	c := &catalogue{groups: slices.Clone(titles)}
	for _, row := range rows {
		o, err := newOp(row)
		if err != nil {
			return nil, err
		}
		word, _, _ := strings.Cut(row.Name, ".")
		i := slices.IndexFunc(c.groups, func(g group) bool { return slices.Contains(g.words, word) })
		if i < 0 {
			return nil, fmt.Errorf("op %s: no chapter for %s", row.Name, word)
		}
		c.groups[i].ops = append(c.groups[i].ops, o)
	}
	c.groups = slices.DeleteFunc(c.groups, func(g group) bool { return g.ops == nil })
	return c, nil
}

func newOp(row *ops.Op) (op, error) {
	n, ok := notesOf[row.Name]
	if !ok {
		return op{}, fmt.Errorf("op %s has no notes", row.Name)
	}
	if row.Doc.EN == "" || row.Doc.ZH == "" {
		return op{}, fmt.Errorf("op %s lacks its text in a language", row.Name)
	}
	fields, err := fieldsOf(reflect.TypeOf(row.Request))
	if err != nil {
		return op{}, err
	}
	return op{Op: row, notes: n, fields: fields}, nil
}

// all are the ops of every chapter.
func (c *catalogue) all() []op {
	var all []op
	for _, g := range c.groups {
		all = append(all, g.ops...)
	}
	return all
}

// identifier is the op's name as programs can have it: conv.mute_all is convMuteAll.
func (o op) identifier() string {
	words := strings.FieldsFunc(o.Name, func(r rune) bool { return r == '.' || r == '_' })
	for i, word := range words[1:] {
		words[i+1] = upperFirst(word)
	}
	return strings.Join(words, "")
}

// place is where REST looks for a field.
type place string

const (
	inPath  place = "path"
	inQuery place = "query"
	inBody  place = "body"
)

// placeOf says where the documents put a field of a request: DELETE takes both, and
// a list is no pleasure in a query.
func (o op) placeOf(f field) place {
	switch {
	case strings.Contains(o.Path, "{"+f.name+"}"):
		return inPath
	case o.Method == http.MethodGet, o.Method == http.MethodDelete && !isList(f.typ):
		return inQuery
	default:
		return inBody
	}
}

// at are the fields of one place.
func (o op) at(p place) []field {
	var fields []field
	for _, f := range o.fields {
		if o.placeOf(f) == p {
			fields = append(fields, f)
		}
	}
	return fields
}

// codesOf are the codes of the op, those of every call among them, in order.
func (o op) codesOf() []int {
	codes := append(slices.Clone(everyCall), o.codes...)
	slices.Sort(codes)
	return slices.Compact(codes)
}

// objects are the structs that stand in other answers and events, in lists and in
// pages, which have a table of their own, by name.
func (c *catalogue) objects() []reflect.Type {
	seen := map[reflect.Type]bool{}
	for _, o := range c.all() {
		inside(reflect.TypeOf(o.Answer), seen)
	}
	for _, e := range ops.Events {
		inside(reflect.TypeOf(e.Data), seen)
	}
	var list []reflect.Type
	for t := range seen {
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b reflect.Type) int { return cmp.Compare(a.Name(), b.Name()) })
	return list
}

// inside adds the structs that stand somewhere in an answer of this type.
func inside(t reflect.Type, seen map[reflect.Type]bool) {
	if t == nil {
		return
	}
	if item := itemOf(t); item != nil {
		standing(item, seen)
		return
	}
	if !isObject(t) {
		return
	}
	for _, f := range reflect.VisibleFields(t) {
		if !f.Anonymous && f.Tag.Get("json") != "" {
			standing(f.Type, seen)
		}
	}
}

// standing adds a struct, or the struct of a list, and those inside it.
func standing(t reflect.Type, seen map[reflect.Type]bool) {
	for t.Kind() == reflect.Pointer || isList(t) {
		t = t.Elem()
	}
	if isObject(t) && !seen[t] {
		seen[t] = true
		inside(t, seen)
	}
}

// itemOf is the type of what an answer lists; nil: it lists nothing.
func itemOf(t reflect.Type) reflect.Type {
	if item, ok := pageItem(t); ok {
		return item
	}
	if t != nil && isList(t) {
		return t.Elem()
	}
	return nil
}

// who says in words whom the op is for.
func who(n skein.Need) ops.Doc {
	switch n {
	case skein.NeedServer:
		return ops.Doc{EN: "the backend alone", ZH: "仅服务端"}
	case skein.NeedSelf:
		return ops.Doc{EN: "the backend; a client for itself", ZH: "服务端；客户端仅限本人"}
	case skein.NeedManager:
		return ops.Doc{EN: "the backend; a client that is owner or admin", ZH: "服务端；会话的所有者或管理员"}
	case skein.NeedMember:
		return ops.Doc{EN: "the backend; a member of the conversation", ZH: "服务端；会话成员"}
	default:
		return ops.Doc{EN: "the backend; any client, for itself", ZH: "服务端；任何客户端（以本人身份）"}
	}
}
