package reference

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

const (
	apiTitle = "Skein"
	homepage = "https://github.com/skein-im/skein"
	// contactEmail is where GitHub lets mail to the project end: linters of AsyncAPI
	// want an address, and the project answers by issues.
	contactEmail = "skein-im@users.noreply.github.com"
	apiVersion   = "1.0.0" // of the API: grows when an answer loses or changes a field
)

// openAPI is the OpenAPI 3.1 document of the REST routes.
func openAPI(c *catalogue) ([]byte, error) {
	doc, err := openAPIDocument(c)
	if err != nil {
		return nil, err
	}
	return yamlOf(doc)
}

// openAPIDocument is the document of the API that apps and their clients call.
func openAPIDocument(c *catalogue) (*openapi3.T, error) {
	return openAPIOf(c, surface{
		title: apiTitle,
		about: "Messaging over REST and WebSocket. Every answer is {code, message, data, request-id}. See docs/api/en.md; the socket is in asyncapi.yaml.",
		servers: openapi3.Servers{
			{URL: exampleHost, Description: "skein serve --dev"},
			{URL: "https://{host}", Description: "your installation, behind its proxy", Variables: map[string]*openapi3.ServerVariable{
				"host": {Default: exampleAddr, Description: "host and port, with the path prefix where the proxy has one"},
			}},
		},
		schemes: securitySchemes(),
	})
}

// surface is in what the documents of two op tables differ, beside the ops.
type surface struct {
	title, about string
	servers      openapi3.Servers
	schemes      openapi3.SecuritySchemes
}

// openAPIOf is the OpenAPI document of an op table.
func openAPIOf(c *catalogue, s surface) (*openapi3.T, error) {
	b := &openAPIBuilder{schemas: schemas{components: openapi3.Schemas{}}}
	doc := &openapi3.T{
		OpenAPI: "3.1.0",
		Info: &openapi3.Info{
			Title: s.title, Version: apiVersion,
			Contact:     &openapi3.Contact{Name: apiTitle, URL: homepage, Email: contactEmail},
			License:     &openapi3.License{Name: "Apache-2.0", URL: "https://www.apache.org/licenses/LICENSE-2.0"},
			Description: s.about,
		},
		Servers: s.servers,
		Paths:   openapi3.NewPaths(),
	}
	for _, g := range c.groups {
		doc.Tags = append(doc.Tags, &openapi3.Tag{
			Name: g.title.EN, Description: g.about(),
			Extensions: map[string]any{"x-name-zh": g.title.ZH},
		})
		for _, o := range g.ops {
			if !o.REST() {
				continue
			}
			item := doc.Paths.Value(o.Path)
			if item == nil {
				item = &openapi3.PathItem{}
				doc.Paths.Set(o.Path, item)
			}
			item.SetOperation(o.Method, b.operation(o, g))
		}
	}
	b.components["Error"] = errorSchema()
	doc.Components = &openapi3.Components{Schemas: b.components, SecuritySchemes: s.schemes}
	return doc, b.err
}

// openAPIBuilder collects the components that the operations refer to.
type openAPIBuilder struct{ schemas }

func (b *openAPIBuilder) operation(o op, g group) *openapi3.Operation {
	values, err := o.values()
	b.fail(err)
	operation := &openapi3.Operation{
		OperationID: o.identifier(),
		Tags:        []string{g.title.EN},
		Summary:     o.Doc.EN,
		Description: description(o),
		Extensions:  map[string]any{"x-summary-zh": o.Doc.ZH},
		Security:    security(o),
		Responses:   openapi3.NewResponsesWithCapacity(8),
	}
	for _, p := range []location{inPath, inQuery} {
		for _, f := range o.at(p) {
			operation.Parameters = append(operation.Parameters, &openapi3.ParameterRef{Value: b.parameter(f, p, values)})
		}
	}
	operation.RequestBody = b.requestBody(o, values)
	operation.Responses.Set("200", &openapi3.ResponseRef{Value: b.success(o)})
	for _, r := range failures(o) {
		operation.Responses.Set(strconv.Itoa(r.status), &openapi3.ResponseRef{Value: r.response()})
	}
	return operation
}

// description says who may call and how to say it by socket.
func description(o op) string {
	text := "Who may: " + who(o.Op).EN + "."
	if o.Socket() {
		text += " By socket: `" + o.Name + "`."
	}
	if o.Policy.PostWith != "" {
		text += " `POST " + o.Path + "?where=…` with an empty body is the same call, for programs written to the original document."
	}
	return text
}

// parameter is a field in the path or the query, where JSON is text.
func (b *openAPIBuilder) parameter(f field, p location, values map[string]jsontext.Value) *openapi3.Parameter {
	param := &openapi3.Parameter{
		Name: f.name, In: string(p), Required: p == inPath || f.need,
		Description: f.doc.EN, Extensions: map[string]any{"x-description-zh": f.doc.ZH},
	}
	schema := b.asked(f.typ)
	switch {
	case f.typ == jsonType:
		param.Content = openapi3.NewContentWithJSONSchemaRef(schema)
		return param
	case f.typ == looseID:
		schema = inline(openapi3.NewStringSchema())
	}
	param.Schema = schema
	if v, ok := values[f.name]; ok {
		param.Example = literal(v)
	}
	return param
}

func (b *openAPIBuilder) requestBody(o op, values map[string]jsontext.Value) *openapi3.RequestBodyRef {
	if o.form() {
		form := openapi3.NewObjectSchema().WithProperty("file", &openapi3.Schema{
			Type: types("string"), ContentMediaType: "application/octet-stream", Description: "the file",
		}).WithRequired([]string{"file"})
		return &openapi3.RequestBodyRef{Value: openapi3.NewRequestBody().WithRequired(true).WithFormDataSchema(form)}
	}
	fields := o.at(inBody)
	if len(fields) == 0 {
		return nil
	}
	body := openapi3.NewRequestBody().WithJSONSchemaRef(b.request(fields))
	body.Required = slices.ContainsFunc(fields, func(f field) bool { return f.need })
	if example := o.body(values); example != "" {
		body.Content["application/json"].Example = literal([]byte(example))
	}
	return &openapi3.RequestBodyRef{Value: body}
}

// success is the envelope around the op's answer.
func (b *openAPIBuilder) success(o op) *openapi3.Response {
	code := openapi3.NewIntegerSchema().WithMin(0).WithMax(0)
	content := openapi3.NewContentWithJSONSchemaRef(envelope(code, b.answer(o.answerType())))
	example, err := o.envelope()
	b.fail(err)
	content["application/json"].Example = literal(example)
	return openapi3.NewResponse().WithDescription("ok").WithContent(content)
}

// envelope is the schema of a REST answer.
func envelope(code *openapi3.Schema, data *openapi3.SchemaRef) *openapi3.SchemaRef {
	object := openapi3.NewObjectSchema().
		WithProperty("code", code).
		WithProperty("message", openapi3.NewStringSchema()).
		WithPropertyRef("data", data).
		WithProperty("request-id", &openapi3.Schema{
			Type: types("string", "null"), Description: "the request-id header of the request",
		})
	object.Required = []string{"code", "message", "data", "request-id"}
	// It demands nothing. kin-openapi falls back to the rules of OpenAPI 3.0, by which
	// any JSON is never null, where a schema has no keyword that is newer than those.
	object.PropertyNames = inline(openapi3.NewStringSchema())
	return inline(object)
}

func errorSchema() *openapi3.SchemaRef {
	code := openapi3.NewIntegerSchema().WithMin(1)
	code.Description = "see the code table of docs/api/en.md"
	return envelope(code, inline(&openapi3.Schema{Type: types("null")}))
}

// failure is the codes of one HTTP status.
type failure struct {
	status int
	codes  []int
}

// refusals are what the transport answers before any op is asked, by HTTP status: a
// request that cannot be read, a body or a header block that is too large, a body
// that is no plain JSON.
var refusals = map[int]int{400: 4406, 413: 4130, 415: 4406, 431: 4130}

// failures are the errors of an op by HTTP status.
func failures(o op) []failure {
	byStatus := map[int][]int{}
	for _, code := range o.codesOf() {
		status := codeOf(code).Status
		byStatus[status] = append(byStatus[status], code)
	}
	for status, code := range refusals {
		byStatus[status] = append(byStatus[status], code)
	}
	var list []failure
	for _, status := range slices.Sorted(maps.Keys(byStatus)) {
		codes := byStatus[status]
		slices.Sort(codes)
		list = append(list, failure{status, slices.Compact(codes)})
	}
	return list
}

func (f failure) response() *openapi3.Response {
	var en, zh []string
	for _, code := range f.codes {
		line := codeOf(code)
		en = append(en, fmt.Sprintf("%d %s", code, line.EN))
		zh = append(zh, fmt.Sprintf("%d %s", code, line.ZH))
	}
	r := openapi3.NewResponse().
		WithDescription(strings.Join(en, "; ")).
		WithContent(openapi3.NewContentWithJSONSchemaRef(openapi3.NewSchemaRef(componentPrefix+"Error", nil)))
	r.Extensions = map[string]any{"x-description-zh": strings.Join(zh, "；"), "x-codes": f.codes}
	return r
}

// Names of the security schemes.
const (
	appHeader    = "app"
	appIDAlias   = "appAlias"
	appKeyHeader = "appKey"
	bearerToken  = "clientToken"
)

func securitySchemes() openapi3.SecuritySchemes {
	header := func(name, text string) *openapi3.SecuritySchemeRef {
		return &openapi3.SecuritySchemeRef{Value: &openapi3.SecurityScheme{Type: "apiKey", In: "header", Name: name, Description: text}}
	}
	return openapi3.SecuritySchemes{
		appHeader:    header("IM-APP-ID", "the app, in every call"),
		appIDAlias:   header("app-id", "alias of IM-APP-ID; a call with both and different values is answered 4406"),
		appKeyHeader: header("app-key", "a key of the app: the backend, which may act for every client"),
		bearerToken: &openapi3.SecuritySchemeRef{Value: &openapi3.SecurityScheme{
			Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "a token of one client: the client role",
		}},
	}
}

// security is what a call must show: the app, and a key or a token.
func security(o op) *openapi3.SecurityRequirements {
	all := openapi3.NewSecurityRequirements()
	if o.forOperators() {
		return all.With(openapi3.NewSecurityRequirement().Authenticate(operatorToken))
	}
	for _, app := range []string{appHeader, appIDAlias} {
		all.With(openapi3.NewSecurityRequirement().Authenticate(app).Authenticate(appKeyHeader))
		if o.Need != skein.NeedServer {
			all.With(openapi3.NewSecurityRequirement().Authenticate(app).Authenticate(bearerToken))
		}
	}
	return all
}

// literal is JSON that stays as it is, its keys in their order.
func literal(b []byte) json.RawMessage { return json.RawMessage(b) }
