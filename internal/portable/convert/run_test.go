package convert

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/portable"
)

// fewLines is a tiny messaging system. It shows what a converter looks like.
func fewLines(rooms int, messages int, text string) func(context.Context, *Input) error {
	return func(_ context.Context, in *Input) error {
		for r := range rooms {
			err := in.Conversation(Conversation{
				Record:  portable.Conversation{ID: number(r), Type: int(skein.Group), Creator: "ann", Created: int64(1000 - r)},
				Extend:  []Field{{Name: "name", Value: Quote("room")}},
				Members: []portable.Member{{Client: "ann"}, {Client: "bob"}},
			})
			if err != nil {
				return err
			}
		}
		for n := range messages {
			err := in.Message(Message{Tie: fmt.Sprint(n), Record: portable.Message{
				Conv: number(n % rooms), ID: number(1_000_000 + n), Sender: "bob", Type: skein.TypeText, Text: text, Created: int64(50_000 - n/2), Attr: jsontext.Value(fmt.Sprint(n)),
			}})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func number(n int) (id skein.ID) {
	copy(id[:], fmt.Sprintf("%016d", n))
	return id
}

func options(t *testing.T) Options {
	return Options{Out: filepath.Join(t.TempDir(), "out"), App: "shop", Source: "a source", Name: "source", Time: time.UnixMilli(90_000)}
}

func TestASourceOfAFewLinesBecomesAPortableFolder(t *testing.T) {
	o := options(t)
	o.MarkRead = true
	if _, err := Run(t.Context(), o, fewLines(2, 6, "hi")); err != nil {
		t.Fatal(err)
	}
	r, err := portable.Open(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var said []string
	err = r.Each(func(rec portable.Record) error {
		switch v := rec.Value.(type) {
		case *portable.Conversation:
			said = append(said, fmt.Sprintf("conv %s %d", v.ID[14:], v.LastSeq))
		case *portable.Member:
			said = append(said, fmt.Sprintf("%s %q read %d sent %d", v.Client, v.Role, v.ReadSeq, v.SentSeq))
		case *portable.Message:
			said = append(said, fmt.Sprintf("%d: %s", v.Seq, v.Attr))
		}
		return nil
	}, func(e *portable.LineError) error { return e })
	if err != nil {
		t.Fatal(err)
	}
	const want = `conv 01 3 | ann "owner" read 3 sent 0 | bob "" read 3 sent 3 | 1: 5 | 2: 3 | 3: 1 | conv 00 3 | ann "owner" read 3 sent 0 | bob "" read 3 sent 3 | 1: 4 | 2: 2 | 3: 0`
	if got := strings.Join(said, " | "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestASourceThatMixesUpTheOrderIsAnError(t *testing.T) {
	_, err := Run(t.Context(), options(t), func(ctx context.Context, in *Input) error {
		if err := fewLines(1, 1, "hi")(ctx, in); err != nil {
			return err
		}
		return fewLines(1, 1, "hi")(ctx, in)
	})
	if err == nil || !strings.Contains(err.Error(), "a conversation after the first message") {
		t.Errorf("got %v", err)
	}
}

// TestMemoryDoesNotGrowWithMessages converts 40 MiB in one conversation. The live memory must
// always stay below a quarter of that.
func TestMemoryDoesNotGrowWithMessages(t *testing.T) {
	const messages, bound = 40_000, 10 << 20
	alive := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, most := alive(), uint64(0)
	o := options(t)
	o.Memory = 1 << 20
	o.Progress = func(string, int64) { most = max(most, alive()) }
	sum, err := Run(t.Context(), o, fewLines(1, messages, strings.Repeat("x", 1<<10)))
	if err != nil {
		t.Fatal(err)
	}
	if most == 0 || most > before+bound {
		t.Errorf("alive: %d bytes, before: %d, want at most %d more", most, before, bound)
	}
	for _, total := range sum.Totals {
		if total.Kind == OfMessage && total.Out != messages {
			t.Errorf("got %+v, want %d messages", total, messages)
		}
	}
}
