package reference

import (
	"reflect"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/ops/rows"
)

// hookHeaders are the headers of a call of a webhook.
func hookHeaders() *openapi3.Schema {
	s := openapi3.NewObjectSchema()
	for _, header := range [...]struct{ name, about string }{
		{"webhook-id", "the id of the event, or one of the batch; the same when the call is repeated"},
		{"webhook-timestamp", "when the call was made, Unix seconds"},
		{"webhook-signature", "one or more signatures, with spaces between"},
	} {
		s.WithProperty(header.name, &openapi3.Schema{Type: types("string"), Description: header.about})
		s.Required = append(s.Required, header.name)
	}
	return s
}

// hooks adds what webhooks deliver: each event, and batches.
func (b *asyncAPIBuilder) hooks() {
	for _, e := range rows.HookEvents {
		b.hook(e.Name, e.Doc, hookSchema(e.Name, b.answer(reflect.TypeOf(e.Data))), e.Example())
	}
	item := hookSchema("", inline(&openapi3.Schema{})) // a schema has one shape, for programs that make types of it
	item.Properties["type"] = inline(openapi3.NewStringSchema())
	item.Description = "an event, as the message of its type"
	batch := frameSchema("batch").
		WithProperty("timestamp", openapi3.NewDateTimeSchema()).
		WithPropertyRef("data", inline(&openapi3.Schema{
			Type: types("array"), MinItems: 1, MaxItems: openapi3.Ptr(uint64(skein.MaxWebhookBatch)), Items: inline(item),
		}))
	batch.Required = append(batch.Required, "timestamp", "data")
	b.hook("batch", ops.Doc{EN: "A call to an endpoint with a batch above 1: one event or more.", ZH: "batch 大于 1 的端点收到的调用：一个或多个事件。"}, batch, nil)
}

// hook adds one kind of call.
func (b *asyncAPIBuilder) hook(name string, doc ops.Doc, payload *openapi3.Schema, example []byte) {
	key := hookKey(name)
	b.component(key, name, doc, payload, example)
	if m, ok := b.messages[key].(object); ok {
		m["headers"] = hookHeaders()
	}
	b.receiver[key] = ref("#/components/messages/" + key)
	b.operations[key] = object{
		"action": "send", "channel": ref("#/channels/webhook"), "summary": doc.EN, "x-summary-zh": doc.ZH,
		"description": "A POST to the endpoint, signed as Standard Webhooks 1.0 has it.", "x-description-zh": "以 POST 发送到端点，按 Standard Webhooks 1.0 签名。",
		"tags": []object{{"name": "webhooks"}}, "messages": []object{ref("#/channels/webhook/messages/" + key)},
	}
}

// hookKey tells an event of webhooks from the messages of the socket.
func hookKey(name string) string { return "webhook." + name }

// hookSchema is one event of webhooks.
func hookSchema(name string, data *openapi3.SchemaRef) *openapi3.Schema {
	s := frameSchema(name).
		WithProperty("id", &openapi3.Schema{Type: types("string"), Description: "the same whenever the event is delivered"}).
		WithProperty("timestamp", &openapi3.Schema{Type: types("string"), Format: "date-time", Description: "when it happened"}).
		WithProperty("app_id", openapi3.NewStringSchema()).
		WithPropertyRef("data", data)
	s.Required = append(s.Required, "id", "timestamp", "app_id", "data")
	return s
}
