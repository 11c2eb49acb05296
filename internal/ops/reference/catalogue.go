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

// catalogue is the op table by chapters.
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

// op is one row of the table with its example and the fields of its request.
type op struct {
	*ops.Op

	request string // an example: the fields of the request as JSON
	answer  any    // an example of the answer
	fields  []field
}

// titles are the chapters in the order of the reference, by the first word of an
// op's name.
var titles = []group{
	{words: []string{"user"}, title: ops.Doc{EN: "Users", ZH: "用户"}},
	{words: []string{"conv", "sync"}, title: ops.Doc{EN: "Conversations", ZH: "会话"}},
	{words: []string{"msg", "changes"}, title: ops.Doc{EN: "Messages", ZH: "消息"}},
	{words: []string{"presence", "typing"}, title: ops.Doc{EN: "Presence and typing", ZH: "在线状态与输入状态"}},
	{words: []string{"file"}, title: ops.Doc{EN: "Files", ZH: "文件"}},
	{words: []string{"me"}, title: ops.Doc{EN: "Oneself", ZH: "调用者自己"}},
	{words: []string{"operator"}, title: ops.Doc{EN: "Operators", ZH: "管理员"}},
	{words: []string{"app"}, title: ops.Doc{EN: "Apps", ZH: "应用"}},
	{words: []string{"webhook"}, title: ops.Doc{EN: "Webhooks", ZH: "Webhook"}},
	{words: []string{"hook"}, title: ops.Doc{EN: "Before-hooks", ZH: "前置 Hook"}},
	{words: []string{"words"}, title: ops.Doc{EN: "Word lists", ZH: "敏感词列表"}},
	{words: []string{"audit"}, title: ops.Doc{EN: "Audit log", ZH: "审计日志"}},
}

func newCatalogue(table []*ops.Op) (*catalogue, error) {
	c := &catalogue{groups: slices.Clone(titles)}
	for _, row := range table {
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
	if row.Doc.EN == "" || row.Doc.ZH == "" {
		return op{}, fmt.Errorf("op %s lacks its text in a language", row.Name)
	}
	if row.Codes == nil {
		return op{}, fmt.Errorf("op %s has no codes", row.Name)
	}
	fields, err := fieldsOf(reflect.TypeOf(row.Request))
	if err != nil {
		return op{}, err
	}
	o := op{Op: row, fields: fields}
	if o.request, o.answer = row.Example(); o.request == "" {
		return op{}, fmt.Errorf("op %s has no example", row.Name)
	}
	return o, nil
}

// answerType is the type of the op's answer; nil: true.
func (o op) answerType() reflect.Type {
	if o.Answer == any(ops.Done{}) {
		return nil
	}
	return reflect.TypeOf(o.Answer)
}

// form reports whether the op takes a form with a file.
func (o op) form() bool { return o.Policy.Body == ops.BodyForm }

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

// location is where REST looks for a field.
type location string

const (
	inPath  location = "path"
	inQuery location = "query"
	inBody  location = "body"
)

// locationOf says where the documents put a field of a request: DELETE takes both;
// a list goes into the body.
func (o op) locationOf(f field) location {
	switch {
	case strings.Contains(o.Path, "{"+f.name+"}"):
		return inPath
	case o.Method == http.MethodGet, o.Method == http.MethodDelete && !isList(f.typ):
		return inQuery
	default:
		return inBody
	}
}

// at are the fields of one location.
func (o op) at(p location) []field {
	var fields []field
	for _, f := range o.fields {
		if o.locationOf(f) == p {
			fields = append(fields, f)
		}
	}
	return fields
}

// everyCall are the codes that any call may answer; operatorsCall any call of the Admin API.
var (
	everyCall     = []int{1, 213, 4002, 4003, 4004, 4080, 4290, 5030}
	operatorsCall = []int{1, 4003, 4004, 4080, 5030}
)

// forOperators reports whether the op belongs to the Admin API.
func (o op) forOperators() bool { return o.Need == skein.NeedOperator }

// codesOf are the codes of the op, those of every call among them, in order.
func (o op) codesOf() []int {
	codes := everyCall
	if o.forOperators() {
		codes = operatorsCall
	}
	codes = append(slices.Clone(codes), o.Codes...)
	slices.Sort(codes)
	return slices.Compact(codes)
}

// objects are the structs that stand in other answers and these events, in lists and in
// pages, which have a table of their own, by name; and the data of these events of webhooks.
func (c *catalogue) objects(events, hooks []ops.Event) []reflect.Type {
	seen := map[reflect.Type]bool{}
	for _, o := range c.all() {
		inside(o.answerType(), seen)
	}
	for _, e := range events {
		inside(reflect.TypeOf(e.Data), seen)
	}
	for _, e := range hooks {
		standing(reflect.TypeOf(e.Data), seen)
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
func who(o *ops.Op) ops.Doc {
	switch o.Need {
	case skein.NeedOperator:
		return whichOperator(o)
	case skein.NeedServer:
		return ops.Doc{EN: "only the backend", ZH: "仅服务端"}
	case skein.NeedSelf:
		return ops.Doc{EN: "the backend; a client for itself", ZH: "服务端；客户端仅限本人"}
	case skein.NeedManager:
		return ops.Doc{EN: "the backend; a client that is owner or admin", ZH: "服务端；会话的所有者或管理员"}
	case skein.NeedMember:
		return ops.Doc{EN: "the backend; a member of the conversation", ZH: "服务端；会话成员"}
	default:
		return ops.Doc{EN: "the backend; any client for itself", ZH: "服务端；任何客户端（以本人身份）"}
	}
}

// whichOperator says in words which operator may call.
func whichOperator(o *ops.Op) ops.Doc {
	if o.Scope == ops.ScopeAny && o.Role <= skein.OperatorReadOnly {
		return ops.Doc{EN: "any operator", ZH: "任何管理员"}
	}
	where := map[ops.Scope]ops.Doc{
		ops.ScopeInstallation: {EN: " in the installation", ZH: "（整个安装）"},
		ops.ScopeApp:          {EN: " in the installation or in the app that the call names", ZH: "（整个安装，或请求所指的应用）"},
		ops.ScopeAny:          {EN: " in the installation or in any app", ZH: "（整个安装或任一应用）"},
	}[o.Scope]
	return ops.Doc{EN: "an operator with the role " + o.Role.String() + where.EN, ZH: "角色不低于 " + o.Role.String() + " 的管理员" + where.ZH}
}
