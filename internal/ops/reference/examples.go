package reference

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire"
)

// utc is the zone of the examples, which is the server's own by default.
var utc = time.UTC

const (
	exampleAddr = "127.0.0.1:8080"
	exampleHost = "http://" + exampleAddr
)

// mustID is for the constants of this package.
func mustID(s string) skein.ID {
	id, err := skein.ParseID(s)
	if err != nil {
		panic(err)
	}
	return id
}

func userOf(c skein.Client) wire.User { return wire.UserOf(c, reply.Created, utc, skein.Actor{}) }

func firstPage(size int) wire.Place { return wire.Place{Page: 1, Size: size} }

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
	fmt.Fprintf(&line, "curl -X %s -H 'app-id: %s' -H 'app-key: master'", o.Method, exampleApp)
	if o.Multipart {
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
	fmt.Fprintf(&line, " \\\n  %s%s", exampleHost, o.path(values))
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

// eventFrame is the example of an event.
func eventFrame(name string) ([]byte, error) {
	notice := skein.Notice{Kind: name, App: exampleApp, Conv: exampleConv, Time: changed, By: "Tom"}
	switch name {
	case skein.EventMessage:
		return wire.AppendNewMessage(nil, &skein.Sent{Message: reply, App: exampleApp, ConvType: skein.Group}), nil
	case skein.EventMessageUpdated:
		change := about(like, liked)
		return wire.AppendUpdate(nil, exampleConv, &change), nil
	case skein.EventConvCreated, skein.EventConvUpdated:
		notice.Conversation = &talk
	case skein.EventMembersAdded, skein.EventMembersRemoved:
		notice.Clients = []string{"Iron"}
	case skein.EventRead:
		notice.Positions = []skein.Position{{Client: "Jerry", Read: reply.Seq, Received: reply.Seq}}
	case skein.EventTyping:
		notice.On = true
	case skein.EventPresence:
		return wire.AppendPresence(nil, present[1:]), nil
	case skein.EventConvDeleted:
	case skein.EventKick:
		return wire.AppendKick(nil, changed, "replaced"), nil
	case skein.EventResync:
		return wire.AppendResync(nil), nil
	default:
		return nil, fmt.Errorf("event %s has no example", name)
	}
	return wire.AppendNotice(nil, notice, utc), nil
}

// An ownExample is an example of one of the socket's own commands: the data of the
// command (empty: none) and the answer.
type ownExample struct {
	data   string
	answer []byte
}

func ownExampleOf(c ops.Command) (ownExample, error) {
	id := []byte(`"1"`)
	switch c.Name {
	case "login":
		answer := wire.LoginAnswer{Time: 1599927082012, SessionID: "01748315dc1c7a2b8c3d4e5f60718293", Generation: "000000000000000016c2a5b1f8e7d401", HeartbeatS: 25,
			Limits: wire.LimitsOf(skein.Settings{}, wire.MaxBody, []string{"png", "jpg", "mp4", "pdf"})}
		return ownExample{
			`{"device_id":"1111","app_id":"666666","client_id":"1111","ext":{"nickname":"liliSara"}}`,
			wire.AppendSuccess(nil, "login", id, answer.Append(nil)),
		}, nil
	case "ping":
		return ownExample{"", wire.AppendPong(nil, id, 1599927107012)}, nil
	case "logout":
		return ownExample{"", wire.AppendSuccess(nil, "logout", id, nil)}, nil
	}
	return ownExample{}, fmt.Errorf("command %s has no example", c.Name)
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
