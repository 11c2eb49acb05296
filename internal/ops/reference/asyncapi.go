package reference

import (
	"reflect"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/ops/rows"
	"github.com/skein-im/skein/internal/wire"
)

// object is a mapping of the AsyncAPI document.
type object = map[string]any

// asyncAPI is the AsyncAPI 3.1 document of the socket. "receive" is what the server
// receives, "send" what it sends.
func asyncAPI(c *catalogue) ([]byte, error) {
	b := &asyncAPIBuilder{
		schemas:    schemas{components: openapi3.Schemas{}},
		messages:   object{},
		channel:    object{},
		receiver:   object{},
		operations: object{},
	}
	for _, own := range rows.Commands {
		b.own(own)
	}
	for _, o := range c.all() {
		if o.Socket() {
			b.op(o)
		}
	}
	unknown := ops.Doc{EN: "The answer to an unknown command: its type followed by .error.", ZH: "未知命令的返回：type 为该命令名加 .error。"}
	frame := errorFrame("")
	frame.Properties["type"] = inline(&openapi3.Schema{Type: types("string"), Pattern: `\.error$`})
	b.message("unknown.error", "unknown.error", unknown, frame, wire.AppendFailure(nil, "conv.dance", []byte(`"1"`), faultOf(4406), wire.English))
	b.sends("unknown.error", unknown, []string{"unknown.error"})
	b.message("error", "error", ops.Doc{EN: "The answer to a frame that cannot be read as a command.", ZH: "无法解析的帧的返回。"}, errorFrame("error"), nil)
	b.sends("error", ops.Doc{EN: "A frame could not be read.", ZH: "帧无法解析。"}, []string{"error"})
	for _, e := range rows.Events {
		b.event(e)
	}
	b.hooks()
	return b.document()
}

type asyncAPIBuilder struct {
	schemas

	messages   object // components
	channel    object // the messages of the socket
	receiver   object // the messages of webhooks
	operations object
}

func (b *asyncAPIBuilder) document() ([]byte, error) {
	if b.err != nil {
		return nil, b.err
	}
	return yamlOf(object{
		"asyncapi": "3.1.0",
		"info": object{
			"title": apiTitle, "version": apiVersion,
			"description": "The socket: one JSON object a text frame, {type, data, id}; and what webhooks deliver to endpoints of an app. See docs/api/en.md and docs/webhooks.md; REST is in openapi.yaml.",
			"contact":     object{"name": apiTitle, "url": homepage, "email": contactEmail},
			"license":     object{"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
			"tags":        []object{{"name": "commands", "description": "commands of clients"}, {"name": "events", "description": "pushes of the server"}, {"name": "webhooks", "description": "calls to endpoints of an app"}},
		},
		"defaultContentType": "application/json",
		"servers": object{"dev": object{
			"host": exampleAddr, "protocol": "ws", "description": "skein serve --dev",
		}, "yours": object{
			"host": "{host}", "protocol": "wss", "description": "your installation, behind its proxy",
			"variables": object{"host": object{"default": exampleAddr, "description": "host and port"}},
		}, "receiver": object{
			"host": "{host}", "protocol": "https", "description": "a backend of the app, which takes webhooks",
			"variables": object{"host": object{"default": "backend.example.com", "description": "host and port of the endpoint"}},
		}},
		"channels": object{"socket": object{
			"address":       rows.SocketPath,
			"messages":      b.channel,
			"servers":       []object{ref("#/servers/dev"), ref("#/servers/yours")},
			"bindings":      object{"ws": object{"method": "GET"}},
			"x-close-codes": closeCodes(),
		}, "webhook": object{
			"address":  nil, // the path of the endpoint's URL
			"messages": b.receiver,
			"servers":  []object{ref("#/servers/receiver")},
		}},
		"operations": b.operations,
		"components": object{"messages": b.messages, "schemas": b.components},
	})
}

func closeCodes() []object {
	var list []object
	for _, l := range closeLines {
		list = append(list, object{
			"code": l.code, "when": l.when.EN, "when-zh": l.when.ZH, "do": l.do.EN, "do-zh": l.do.ZH,
		})
	}
	return list
}

// op adds a command of the op table.
func (b *asyncAPIBuilder) op(o op) {
	success, err := o.success()
	b.fail(err)
	data := b.answer(o.answerType())
	b.command(o.Name, o.Doc, b.request(o.fields), o.command())
	b.message(o.Name+".success", o.Name+".success", o.Doc, successFrame(o.Name+".success", data), success)
	b.message(o.Name+".error", o.Name+".error", o.Doc, errorFrame(o.Name+".error"), nil)
	b.receives(o.Name, o.Doc, who(o.Op), []string{o.Name + ".success", o.Name + ".error"})
}

// own adds one of the socket's own commands.
func (b *asyncAPIBuilder) own(c ops.Command) {
	data, sent := c.Example()
	var request *openapi3.SchemaRef
	if c.Request != nil {
		fields, err := fieldsOf(reflect.TypeOf(c.Request))
		b.fail(err)
		request = b.request(fields)
	}
	answer := inline(&openapi3.Schema{Type: types("null")})
	if c.Answer != nil {
		answer = b.answer(reflect.TypeOf(c.Answer))
	}
	reply := successFrame(c.Reply, answer)
	if !strings.HasSuffix(c.Reply, ".success") {
		reply = eventSchema(c.Reply, answer)
	}
	b.command(c.Name, c.Doc, request, commandFrame(c.Name, data))
	b.message(c.Reply, c.Reply, c.Doc, reply, sent)
	b.message(c.Name+".error", c.Name+".error", c.Doc, errorFrame(c.Name+".error"), nil)
	b.receives(c.Name, c.Doc, ops.Doc{EN: "everybody", ZH: "任何人"}, []string{c.Reply, c.Name + ".error"})
}

// event adds what the server pushes.
func (b *asyncAPIBuilder) event(e ops.Event) {
	key := "on." + e.Name // a command may have the same name
	b.message(key, e.Name, e.Doc, eventSchema(e.Name, b.answer(reflect.TypeOf(e.Data))), e.Example())
	b.sends(e.Name, e.Doc, []string{key})
}

// command adds the message of a command; without data where request is nil.
func (b *asyncAPIBuilder) command(name string, doc ops.Doc, request *openapi3.SchemaRef, example []byte) {
	frame := frameSchema(name)
	if request != nil {
		frame.WithPropertyRef("data", request)
		if len(request.Value.Required) > 0 {
			frame.Required = append(frame.Required, "data")
		}
	}
	b.message(name, name, doc, withID(frame), example)
}

// message adds a message with this type to the components and to the channel;
// example may be nil.
func (b *asyncAPIBuilder) message(key, name string, doc ops.Doc, payload *openapi3.Schema, example []byte) {
	b.component(key, name, doc, payload, example)
	b.channel[key] = ref("#/components/messages/" + key)
}

// component adds a message to the components alone.
func (b *asyncAPIBuilder) component(key, name string, doc ops.Doc, payload *openapi3.Schema, example []byte) {
	m := object{"name": name, "title": name, "summary": doc.EN, "x-summary-zh": doc.ZH, "payload": payload}
	if example != nil {
		m["examples"] = []object{{"name": name, "payload": literal(example)}}
	}
	b.messages[key] = m
}

func (b *asyncAPIBuilder) receives(name string, doc, may ops.Doc, replies []string) {
	b.operations[name] = object{
		"action": "receive", "channel": ref("#/channels/socket"), "summary": doc.EN, "x-summary-zh": doc.ZH,
		"description": "Who may: " + may.EN + ".", "x-description-zh": "权限：" + may.ZH + "。",
		"tags":     []object{{"name": "commands"}},
		"messages": channelMessages([]string{name}),
		"reply":    object{"channel": ref("#/channels/socket"), "messages": channelMessages(replies)},
	}
}

func (b *asyncAPIBuilder) sends(name string, doc ops.Doc, messages []string) {
	b.operations["on."+name] = object{
		"action": "send", "channel": ref("#/channels/socket"), "summary": doc.EN, "x-summary-zh": doc.ZH,
		"description": "Sent by the server: " + strings.Join(messages, ", ") + ".",
		"tags":        []object{{"name": "events"}},
		"messages":    channelMessages(messages),
	}
}

func ref(to string) object { return object{"$ref": to} }

func channelMessages(names []string) []object {
	var list []object
	for _, name := range names {
		list = append(list, ref("#/channels/socket/messages/"+name))
	}
	return list
}

// frameSchema is a frame of one type.
func frameSchema(name string) *openapi3.Schema {
	s := openapi3.NewObjectSchema().WithProperty("type", &openapi3.Schema{Type: types("string"), Const: name})
	s.Required = []string{"type"}
	return s
}

func withID(s *openapi3.Schema) *openapi3.Schema {
	return s.WithProperty("id", &openapi3.Schema{Type: types("string"), Description: "comes back in the answer"})
}

func successFrame(name string, data *openapi3.SchemaRef) *openapi3.Schema {
	s := frameSchema(name).WithProperty("msg", &openapi3.Schema{Type: types("string"), Const: "success"}).WithPropertyRef("data", data)
	s.Required = slices.Concat(s.Required, []string{"msg", "data"})
	return withID(s)
}

func errorFrame(name string) *openapi3.Schema {
	s := frameSchema(name).
		WithProperty("msg", openapi3.NewStringSchema()).
		WithProperty("code", openapi3.NewIntegerSchema()).
		WithProperty("data", &openapi3.Schema{Type: types("null")}).
		WithProperty("retry_after_ms", openapi3.NewInt64Schema().WithMin(1))
	s.Properties["retry_after_ms"].Value.Description = "with 4290 and 5030: how long to wait before the next try"
	s.Required = slices.Concat(s.Required, []string{"msg", "code", "data"})
	return withID(s)
}

// eventSchema is a frame with data and nothing about success.
func eventSchema(name string, data *openapi3.SchemaRef) *openapi3.Schema {
	s := frameSchema(name).WithPropertyRef("data", data)
	s.Required = append(s.Required, "data")
	if name == "pong" {
		return withID(s)
	}
	return s
}
