package reference

import (
	"strconv"

	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire"
)

// GoldenDir is where the golden files lie: one a body or frame, indented. Without
// white space it is byte for byte what the server writes; requests and commands
// are what it must read.
const GoldenDir = "api/golden"

// goldenFiles are, for every op, the fields of its request, its REST answer (where
// it has a route), its socket command and the answer to that; every error as a body and as a frame;
// the socket's own commands; every event.
func goldenFiles(c *catalogue) (map[string][]byte, error) {
	g := golden{files: map[string][]byte{}}
	for _, o := range c.all() {
		g.op(o)
	}
	for _, code := range codeNumbers() {
		err := faultOf(code)
		number := strconv.Itoa(code)
		g.add("error."+number+".answer", wire.AppendEnvelope(nil, code, wire.Text(err, wire.English), nil, "7f3e"))
		g.add("error."+number+".frame", wire.AppendFailure(nil, "msg.send", []byte(`"1"`), err, wire.English))
	}
	g.add("error.unreadable.frame", wire.AppendFailure(nil, "", nil, faultOf(4406), wire.English))
	for _, own := range ops.Commands {
		example, err := ownExampleOf(own)
		g.fail(err)
		g.add(own.Name+".command", commandFrame(own.Name, example.data))
		g.add(own.Reply, example.answer)
	}
	for _, e := range ops.Events {
		frame, err := eventFrame(e.Name)
		g.fail(err)
		g.add(e.Name+".push", frame)
	}
	return g.files, g.err
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

func (g *golden) add(name string, frame []byte) {
	text, err := indented(frame)
	g.fail(err)
	g.files[GoldenDir+"/"+name+".json"] = []byte(text + "\n")
}

func (g *golden) op(o op) {
	if !o.Multipart {
		g.add(o.Name+".request", []byte(o.request))
	}
	if o.REST() {
		answer, err := o.envelope()
		g.fail(err)
		g.add(o.Name+".answer", answer)
	}
	if !o.Socket() {
		return
	}
	success, err := o.success()
	g.fail(err)
	g.add(o.Name+".command", o.command())
	g.add(o.Name+".success", success)
}
