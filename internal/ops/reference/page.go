package reference

import (
	"bytes"
	"embed"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"text/template"

	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/ops/rows"
	"github.com/skein-im/skein/internal/wire"
)

// guides are the pages as people wrote them, with placeholders for what the table knows.
//
//go:embed guide/*.tmpl
var guides embed.FS

// page is the reference for people in one language.
func page(c *catalogue, lang language) ([]byte, error) {
	w := &writer{language: lang, objects: c.objects(rows.Events, rows.HookEvents)}
	for _, o := range c.all() {
		if o.Name == "conv.create" {
			w.create = o
		}
	}
	guide, err := template.New("").Option("missingkey=error").ParseFS(guides, "guide/*.tmpl")
	if err != nil {
		return nil, fmt.Errorf("read the guides: %w", err)
	}
	values := map[string]string{
		"FirstMinute":   w.firstMinute(c),
		"FirstLogin":    string(commandFrame("login", `{"app_id":"666666","client_id":"Jerry","device_id":"web1"}`)),
		"SocketURL":     strings.Replace(exampleHost, "http", "ws", 1) + rows.SocketPath,
		"SocketPath":    rows.SocketPath,
		"Envelope":      string(wire.AppendEnvelope(nil, 0, "ok", []byte("true"), "7f3e")),
		"ErrorEnvelope": string(wire.AppendEnvelope(nil, 4001, wire.Text(faultOf(4001), wire.English), nil, "")),
		"PageFields":    w.table(reflect.TypeFor[wire.Page[any]]()),
		"EveryCall":     numbers(everyCall),
		"Codes":         w.codes(),
		"Limits":        w.limits(),
		"Charged":       charged(c),
		"Ops":           w.ops(c),
		"Objects":       w.objectTables(),
		"SocketCommand": string(commandFrame("conv.get", `{"conv_id":"`+rows.ExampleConv+`"}`)),
		"SocketError":   string(wire.AppendFailure(nil, "conv.get", []byte(`"1"`), faultOf(4011), wire.English)),
		"Commands":      w.commands(),
		"CloseCodes":    w.closeCodes(),
		"Events":        w.events(),
		"EventFields":   w.eventFields(),
		"HookEvents":    w.hookEvents(),
		"Contents":      "",
	}
	if values["Contents"], err = contents(guide, lang.file, values); err != nil {
		return nil, err
	}
	out, err := render(guide, lang.file, values)
	if w.err != nil {
		return nil, w.err
	}
	return out, err
}

func render(guide *template.Template, file string, values map[string]string) ([]byte, error) {
	var out bytes.Buffer
	if err := guide.ExecuteTemplate(&out, file, values); err != nil {
		return nil, fmt.Errorf("write the page: %w", err)
	}
	return out.Bytes(), nil
}

var chapter = regexp.MustCompile(`(?m)^## (.+)$`)

// contents are links to the chapters of the page as it comes out.
func contents(guide *template.Template, file string, values map[string]string) (string, error) {
	out, err := render(guide, file, values)
	var links []string
	for _, m := range chapter.FindAllSubmatch(out, -1) {
		title := string(m[1])
		links = append(links, "["+title+"](#"+anchor(title)+")")
	}
	return strings.Join(links, " · "), err
}

// anchor is what GitHub makes of a heading.
func anchor(heading string) string {
	kept := strings.Map(func(r rune) rune {
		if strings.ContainsRune(".,:`'()（）：、", r) {
			return -1
		}
		return r
	}, strings.ToLower(heading))
	return strings.ReplaceAll(kept, " ", "-")
}

// writer writes the parts of a page. The first error sticks.
type writer struct {
	language

	objects []reflect.Type // those with a table of their own
	create  op             // conv.create
	err     error
}

func (w *writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// firstMinute creates a conversation, says something in it and reads it.
func (w *writer) firstMinute(c *catalogue) string {
	lines := map[string]string{}
	for _, o := range c.all() {
		if !o.REST() {
			continue
		}
		curl, err := o.curl()
		w.fail(err)
		lines[o.Name] = curl
	}
	return lines["conv.create"] + "\n" + lines["msg.send"] + "\n" + lines["msg.list"]
}

func (w *writer) ops(c *catalogue) string {
	var b strings.Builder
	for _, g := range c.groups {
		fmt.Fprintf(&b, "## %s\n\n", w.pick(g.title))
		for _, o := range g.ops {
			w.op(&b, o)
		}
	}
	return strings.TrimSpace(b.String())
}

func (w *writer) op(b *strings.Builder, o op) {
	fmt.Fprintf(b, "### %s\n\n%s\n\n", o.Name, w.pick(o.Doc))
	fmt.Fprintf(b, "%s\n\n", strings.Join(append(w.ways(o), w.pick(who(o.Op))), " · "))
	if o.form() {
		fmt.Fprintf(b, "%s\n\n", w.uploadTable())
	} else if len(o.fields) > 0 {
		fmt.Fprintf(b, "%s\n\n", w.requestTable(o.fields))
	}
	w.answers(b, o)
	w.examples(b, o)
	fmt.Fprintf(b, "%s%s\n\n", w.codesWord, numbers(o.Codes))
}

// ways are how the op is called.
func (w *writer) ways(o op) (ways []string) {
	if o.REST() {
		ways = append(ways, "`"+o.Method+" "+o.Path+"`")
	}
	if o.Policy.PostWith != "" {
		ways = append(ways, "`POST "+o.Path+"?where=…`")
	}
	if o.Socket() {
		ways = append(ways, w.socket+" `"+o.Name+"`")
	}
	return ways
}

// answers says what the op answers, with a table where no other place has one.
func (w *writer) answers(b *strings.Builder, o op) {
	if t := o.answerType(); t != nil && isObject(t) && !w.known(t) {
		fmt.Fprintf(b, "%s\n\n%s\n\n", strings.TrimSpace(w.answerWord), w.table(t))
		return
	}
	fmt.Fprintf(b, "%s%s\n\n", w.answerWord, w.typeName(o.answerType()))
}

func (w *writer) examples(b *strings.Builder, o op) {
	if o.REST() {
		curl, err := o.curl()
		w.fail(err)
		if o.Before != "" {
			created, err := w.create.curlOf(o.Before)
			w.fail(err)
			curl = created + "\n" + curl
		}
		answer, err := o.envelope()
		w.fail(err)
		text, err := indented(answer)
		w.fail(err)
		fence(b, "bash", curl)
		fence(b, "json", text)
	}
	if o.Socket() {
		success, err := o.success()
		w.fail(err)
		fence(b, "json", string(o.command())+"\n"+string(success))
	}
}

func fence(b *strings.Builder, lang, text string) {
	fmt.Fprintf(b, "```%s\n%s\n```\n\n", lang, text)
}

func (w *writer) objectTables() string {
	var b strings.Builder
	for _, t := range w.objects {
		fmt.Fprintf(&b, "### %s\n\n%s\n\n", t.Name(), w.table(t))
	}
	return strings.TrimSpace(b.String())
}

func (w *writer) commands() string {
	var b strings.Builder
	for _, c := range rows.Commands {
		fmt.Fprintf(&b, "### %s\n\n%s\n\n", c.Name, w.pick(c.Doc))
		if c.Request != nil {
			fields, err := fieldsOf(reflect.TypeOf(c.Request))
			w.fail(err)
			fmt.Fprintf(&b, "%s\n\n", w.requestTable(fields))
		}
		if c.Answer != nil {
			fmt.Fprintf(&b, "%s`%s`\n\n%s\n\n", w.answerWord, c.Reply, w.table(reflect.TypeOf(c.Answer)))
		}
		data, answer := c.Example()
		fence(&b, "json", string(commandFrame(c.Name, data))+"\n"+string(answer))
	}
	return strings.TrimSpace(b.String())
}

func (w *writer) events() string {
	var b strings.Builder
	for _, e := range rows.Events {
		text, err := indented(e.Example())
		w.fail(err)
		fmt.Fprintf(&b, "### %s\n\n%s\n\n", eventHeading(e), w.pick(e.Doc))
		if e.For != nil {
			fmt.Fprintf(&b, "%s `%s`\n\n", w.pick(limited), strings.Join(e.For, "` `"))
		}
		if t := reflect.TypeOf(e.Data); t != sharedEvent {
			fmt.Fprintf(&b, "%s\n\n", w.table(t))
		}
		fence(&b, "json", text)
	}
	return strings.TrimSpace(b.String())
}

// limited says who gets an event.
var limited = ops.Doc{
	EN: "A session whose token is limited (act) gets it with one of:",
	ZH: "token 受 act 限制时，须允许以下操作之一才会收到：",
}

// eventHeading tells an event from the command of the same name.
func eventHeading(e ops.Event) string { return "on " + e.Name }

// sharedEvent is the data of several events; the page has its table once.
var sharedEvent = reflect.TypeFor[wire.Event]()

func (w *writer) eventFields() string {
	return "### conv.*\n\n" + w.table(sharedEvent)
}

// hookEvents are the events of webhooks, and the first of them as it is delivered.
func (w *writer) hookEvents() string {
	var lines [][]string
	for _, e := range rows.HookEvents {
		lines = append(lines, []string{"`" + e.Name + "`", w.pick(e.Doc), w.typeName(reflect.TypeOf(e.Data))})
	}
	text, err := indented(rows.HookEvents[0].Example())
	w.fail(err)
	var b strings.Builder
	b.WriteString(grid([]string{w.typ, w.when, "`data`"}, lines) + "\n\n")
	fence(&b, "json", text)
	return strings.TrimSpace(b.String())
}

func numbers(codes []int) string {
	var texts []string
	for _, c := range codes {
		texts = append(texts, strconv.Itoa(c))
	}
	return strings.Join(texts, " · ")
}
