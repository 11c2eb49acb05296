package socket

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/wire"
)

// mirrored is an op that batches. It answers its data, and records how many commands
// each call brought.
func mirrored(f *fixture, name string) (sizes *[]int) {
	sizes = new([]int)
	f.ops[name] = func(_ context.Context, by skein.Actor, data []byte) ([]byte, error) {
		var all []json.RawMessage
		if err := json.Unmarshal(data, &all); err != nil {
			return nil, err
		}
		*sizes = append(*sizes, len(all))
		for range all {
			f.hub.Deliver(by.App.ID, by.Client, []byte(`{"type":"event"}`), hub.Except{})
		}
		return data, nil
	}
	return sizes
}

func batched(name string, n int) []byte {
	return text(fmt.Sprintf(`{"type":%q,"data":{"n":%d},"id":"%d"}`, name, n, n))
}

func batchAnswer(name string, n int) string {
	return fmt.Sprintf(`text {"type":"%s.success","msg":"success","data":{"n":%d},"id":"%d"}`, name, n, n)
}

func TestCommandsOfOneReadRunTogether(t *testing.T) {
	f := start(t, nil)
	sizes := mirrored(f, "batch.a")
	p := f.login(t, "Tom", "phone")
	p.send(batched("batch.a", 0), batched("batch.a", 1), batched("batch.a", 2))
	for n := range 3 {
		p.want(batchAnswer("batch.a", n))
	}
	for range 3 { // the events that they cause come after all answers
		p.wantType("event")
	}
	p.send(batched("batch.a", 3))
	p.want(batchAnswer("batch.a", 3))
	p.wantType("event")
	if got := fmt.Sprint(*sizes); got != "[3 1]" {
		t.Errorf("ran together: %s", got)
	}
}

func TestAnswersKeepTheOrderOfTheCommands(t *testing.T) {
	f := start(t, nil)
	mirrored(f, "batch.a")
	mirrored(f, "batch.b")
	p := f.login(t, "Tom", "phone")
	echoed, echoAnswer := echo("between")
	p.send(batched("batch.a", 0), batched("batch.a", 1), text(echoed), batched("batch.a", 2), batched("batch.b", 3), text(`{"type":`),
		batched("batch.b", 4), pingOf("x"), text(`{"type":"ping"}`), batched("batch.b", 5), text(`{"type":"logout"}`), batched("batch.b", 6))
	var got []string
	for len(got) < 12 {
		frame := p.read()
		if strings.HasPrefix(frame, "close") || frame == "end" {
			break
		}
		if !strings.Contains(frame, `"event"`) && frame != "pong x" {
			got = append(got, frame)
		}
	}
	want := []string{
		batchAnswer("batch.a", 0), batchAnswer("batch.a", 1), echoAnswer, batchAnswer("batch.a", 2), batchAnswer("batch.b", 3),
		`text {"type":"error"`, batchAnswer("batch.b", 4), `text {"type":"pong"`, batchAnswer("batch.b", 5), `text {"type":"logout.success"`,
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || !strings.HasPrefix(got[i], want[i]) {
			t.Fatalf("got  %q\nwant %q", got, want)
		}
	}
}

func TestWhatCameBeforeABadFrameIsRun(t *testing.T) {
	for name, end := range map[string][]byte{
		"a close frame":    closeCode(1000),
		"a binary frame":   frameOf(0x82, "x"),
		"an unmasked text": unmasked(0x81, "x"),
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, nil)
			mirrored(f, "batch.a")
			p := f.login(t, "Tom", "phone")
			p.send(batched("batch.a", 0), batched("batch.a", 1), end)
			p.want(batchAnswer("batch.a", 0), batchAnswer("batch.a", 1))
		})
	}
}

func TestOneOfABatchMayFail(t *testing.T) {
	f := start(t, nil)
	f.ops["batch.a"] = func(_ context.Context, _ skein.Actor, data []byte) ([]byte, error) {
		return []byte(strings.Replace(string(data), `{"n":1}`, "null", 1)), nil
	}
	p := f.login(t, "Tom", "phone")
	p.send(batched("batch.a", 0), batched("batch.a", 1), batched("batch.a", 2))
	p.want(batchAnswer("batch.a", 0))
	if a := p.wantError("batch.a.error", 4004); a.ID == nil || *a.ID != "1" {
		t.Errorf("got %+v, want the id 1", a)
	}
	p.want(batchAnswer("batch.a", 2))
}

func TestABatchThatPanicsFailsAlone(t *testing.T) {
	f := start(t, nil)
	f.ops["batch.a"] = func(context.Context, skein.Actor, []byte) ([]byte, error) { panic("broken") }
	p := f.login(t, "Tom", "phone")
	p.send(batched("batch.a", 0), batched("batch.a", 1))
	p.wantError("batch.a.error", 1)
	p.wantError("batch.a.error", 1)
	p.send(text(`{"type":"ping"}`))
	p.wantType("pong")
	if !strings.Contains(f.log.String(), "broken") {
		t.Error("the log says nothing of the panic")
	}
}

func TestABatchIsHeldToTheCommandRate(t *testing.T) {
	f := start(t, nil)
	f.gate.settings.CommandRate = 5
	mirrored(f, "batch.a")
	p := f.login(t, "Tom", "phone")
	var all []byte
	for n := range 10 {
		all = append(all, batched("batch.a", n)...)
	}
	p.send(all)
	codes := map[int]int{}
	for answers := 0; answers < 10; {
		if frame := p.read(); strings.Contains(frame, `"id":"`) {
			answers++
			if strings.Contains(frame, `"code":4290`) {
				codes[4290]++
			}
		}
	}
	if codes[4290] < 4 {
		t.Errorf("of ten at once at five a second %d were refused", codes[4290])
	}
}

func TestABatchBeforeTheLoginIsRefused(t *testing.T) {
	f := start(t, nil)
	sizes := mirrored(f, "batch.a")
	p := f.dial(t)
	p.send(batched("batch.a", 0), text(`{"type":"login","data":`+loginData("Tom", "phone")+`}`), batched("batch.a", 1))
	p.wantError("batch.a.error", wire.CodeOf(skein.ErrUnauthenticated).Code)
	p.wantType("login.success")
	p.want(batchAnswer("batch.a", 1))
	if got := fmt.Sprint(*sizes); got != "[1]" {
		t.Errorf("ran together: %s", got)
	}
}
