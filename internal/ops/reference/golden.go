package reference

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein/internal/ops/rows"
	"github.com/skein-im/skein/internal/wire"
)

// GoldenDir is where the golden files lie: one JSON object an op, a push or an error,
// indented. Without white space, each member is byte for byte what the server writes
// (answer, success, frame, push) or must read (request, command). The tests of the
// JavaScript client read them too.
const GoldenDir = "api/golden"

// goldenFiles are: for each op the fields of its request, its REST answer, its socket
// command and the answer to that, as far as it has them; for each error its body and its
// frame; for each of the socket's own commands the command and its answer; for each event
// its frame.
func goldenFiles(c *catalogue) (map[string][]byte, error) {
	g := golden{files: map[string][]byte{}}
	for _, o := range c.all() {
		g.op(o)
	}
	g.add(string(rows.MsgList)+".by_seq", member{"success",
		wire.AppendSuccess(nil, string(rows.MsgList), []byte(`"1"`), rows.ExampleBySeq().AppendJSON(nil))})
	for _, code := range codeNumbers() {
		err := faultOf(code)
		g.add("error."+strconv.Itoa(code),
			member{"answer", wire.AppendEnvelope(nil, code, wire.Text(err, wire.English), nil, "7f3e")},
			member{"frame", wire.AppendFailure(nil, "msg.send", []byte(`"1"`), err, wire.English)})
	}
	g.add("error.unreadable", member{"frame", wire.AppendFailure(nil, "", nil, faultOf(4406), wire.English)})
	for _, own := range rows.Commands {
		data, answer := own.Example()
		g.add(own.Name, member{"command", commandFrame(own.Name, data)}, member{"success", answer})
	}
	for _, e := range rows.Events {
		g.add(eventFile(e.Name), member{"push", e.Example()})
	}
	return g.files, g.err
}

// eventFile is the file of an event, whose name may be that of an op too.
func eventFile(name string) string { return "on." + name }

// member is one member of a golden file.
type member struct {
	name  string
	value []byte
}

// golden collects the files and the first error.
type golden struct {
	files map[string][]byte
	err   error
}

func (g *golden) fail(err error) {
	if g.err == nil {
		g.err = err
	}
}

func (g *golden) add(name string, members ...member) {
	object := jsontext.Value{'{'}
	for i, m := range members {
		if i > 0 {
			object = append(object, ',')
		}
		object = append(object, `"`+m.name+`":`...)
		object = append(object, m.value...)
	}
	text, err := indented(append(object, '}'))
	g.fail(err)
	g.files[GoldenDir+"/"+name+".json"] = []byte(text + "\n")
}

func (g *golden) op(o op) {
	var members []member
	if !o.form() {
		members = append(members, member{"request", []byte(o.request)})
	}
	if o.REST() {
		answer, err := o.envelope()
		g.fail(err)
		members = append(members, member{"answer", answer})
	}
	if o.Socket() {
		success, err := o.success()
		g.fail(err)
		members = append(members, member{"command", o.command()}, member{"success", success})
	}
	g.add(o.Name, members...)
}
