package reference

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops/rows"
	"github.com/skein-im/skein/internal/wire"
)

const (
	exampleAddr = "127.0.0.1:8080"
	exampleHost = "http://" + exampleAddr

	exampleAdminHost = "http://127.0.0.1:9090"
)

// encode writes an answer as the server does.
func encode(v any) ([]byte, error) {
	if a, ok := v.(interface{ AppendJSON([]byte) []byte }); ok {
		return a.AppendJSON(nil), nil
	}
	return json.Marshal(v)
}

// envelope is the example of the op's REST answer.
func (o op) envelope() ([]byte, error) {
	data, err := encode(o.answer)
	return wire.AppendEnvelope(nil, 0, "ok", data, ""), err
}

// command is the example of the op as a socket command.
func (o op) command() []byte { return commandFrame(o.Name, o.request) }

// commandFrame is a command with the id 1; without data where there is none.
func commandFrame(name, data string) []byte {
	if data != "" {
		data = `,"data":` + data
	}
	return []byte(`{"type":"` + name + `"` + data + `,"id":"1"}`)
}

// success is the example of the answer to the command.
func (o op) success() ([]byte, error) {
	data, err := encode(o.answer)
	return wire.AppendSuccess(nil, o.Name, []byte(`"1"`), data), err
}

// values are the fields of the example request.
func (o op) values() (map[string]jsontext.Value, error) { return valuesOf(o.Name, o.request) }

func valuesOf(name, request string) (map[string]jsontext.Value, error) {
	values := map[string]jsontext.Value{}
	if err := json.Unmarshal([]byte(request), &values); err != nil {
		return nil, fmt.Errorf("example of %s: %w", name, err)
	}
	return values, nil
}

// curl is the example as a command line.
func (o op) curl() (string, error) { return o.curlOf(o.request) }

// curlOf is a call of the op with these fields as a command line.
func (o op) curlOf(request string) (string, error) {
	values, err := valuesOf(o.Name, request)
	if err != nil {
		return "", err
	}
	var line bytes.Buffer
	host := exampleHost
	if o.forOperators() {
		host = exampleAdminHost
		fmt.Fprintf(&line, "curl -X %s -H \"Authorization: Bearer $TOKEN\"", o.Method)
	} else {
		fmt.Fprintf(&line, "curl -X %s -H 'app-id: %s' -H 'app-key: master'", o.Method, rows.ExampleApp)
	}
	if o.form() {
		line.WriteString(" \\\n  -F 'file=@photo.jpg'")
	}
	if body := o.body(values); body != "" {
		fmt.Fprintf(&line, " \\\n  -H 'Content-Type: application/json' \\\n  -d '%s'", body)
	}
	query := o.query(values)
	if len(query) > 0 {
		line.WriteString(" -G")
	}
	for _, q := range query {
		fmt.Fprintf(&line, " \\\n  --data-urlencode '%s'", q)
	}
	fmt.Fprintf(&line, " \\\n  %s%s", host, o.path(values))
	return line.String(), nil
}

// path is the op's path with the example's values in it.
func (o op) path(values map[string]jsontext.Value) string {
	path := o.Path
	for _, f := range o.at(inPath) {
		path = strings.ReplaceAll(path, "{"+f.name+"}", url.PathEscape(plain(values[f.name])))
	}
	return path
}

// query are the parameters of the example, as name=value.
func (o op) query(values map[string]jsontext.Value) []string {
	var query []string
	for _, f := range o.at(inQuery) {
		if v, ok := values[f.name]; ok {
			query = append(query, f.name+"="+plain(v))
		}
	}
	return query
}

// body is the body of the example in the order of its fields; empty: none.
func (o op) body(values map[string]jsontext.Value) string {
	var members []string
	for _, f := range o.at(inBody) {
		if v, ok := values[f.name]; ok {
			members = append(members, `"`+f.name+`":`+string(v))
		}
	}
	if members == nil {
		return ""
	}
	return "{" + strings.Join(members, ",") + "}"
}

// plain is a JSON value as it stands in a URL: a string without its quotes.
func plain(v jsontext.Value) string {
	if v.Kind() != '"' {
		return string(v)
	}
	s, _ := jsontext.AppendUnquote(nil, v) // the example has been parsed
	return string(s)
}

// faultOf is an error with the code, for the examples: the documented sentinel with
// a field where one is usual. nil: no such code.
func faultOf(code int) error {
	i := slices.IndexFunc(wire.Codes, func(c wire.Code) bool { return c.Code == code })
	if i < 0 {
		return nil
	}
	if field := map[int]string{211: "Spike", 212: "client_id", 4001: "client_ids", 4002: "IM-APP-ID", 4011: "conv_id", 4012: "msg_id"}[code]; field != "" {
		return skein.About(wire.Codes[i].Err, field)
	}
	return wire.Codes[i].Err
}

// indented is JSON for people, in its own order.
func indented(b []byte) (string, error) {
	v := jsontext.Value(bytes.Clone(b))
	if err := v.Indent(jsontext.WithIndent("  ")); err != nil {
		return "", fmt.Errorf("example %s: %w", b, err)
	}
	return string(v), nil
}
