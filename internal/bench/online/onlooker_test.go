package online

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/testclient"
)

// answers are the replies of a process of clients to orders.
func answers(t *testing.T, orders ...order) (all []reply) {
	t.Helper()
	var in, out bytes.Buffer
	for _, o := range orders {
		if err := json.NewEncoder(&in).Encode(o); err != nil {
			t.Fatal(err)
		}
	}
	if err := Onlooker(t.Context(), &in, &out); err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(&out); ; {
		var r reply
		if err := d.Decode(&r); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
}

func TestAProcessOfClientsAnswersEachOrderUntilThereIsNone(t *testing.T) {
	got := answers(t, order{}, order{Until: 7}) // it has no client that could be behind
	if len(got) != 2 || got[0].Error != "" || got[1].Error != "" {
		t.Errorf("got %+v, want two replies without an error", got)
	}
	if got := answers(t); len(got) != 0 {
		t.Errorf("without an order: got %+v", got)
	}
}

func TestWhatAClientMustNotGetIsAFault(t *testing.T) {
	push := func(seq int) string {
		return fmt.Sprintf(`%s,"data":{"msg_id":"m","seq":%d,"text":"%s"}}`, driver.Pushed, seq, driver.AppendText(nil, 0, 1, strings.Repeat("x", driver.TextBytes)))
	}
	for name, tt := range map[string]struct {
		frames []string
		faults int
	}{
		"messages in order":        {[]string{push(1), push(2), push(3)}, 0},
		"a message is missing":     {[]string{push(1), push(3)}, 1},
		"a message comes twice":    {[]string{push(1), push(1)}, 1},
		"messages are swapped":     {[]string{push(2), push(1)}, 2},
		"the session is displaced": {[]string{string(driver.Kicked) + `,"data":{}}`}, 1},
		"something else":           {[]string{`{"type":"presence","data":{}}`}, 0},
	} {
		o := newOnlookers()
		one := &onlooker{name: "Tom"}
		for _, frame := range tt.frames {
			o.handle(one, []byte(frame))
		}
		if got := o.faults.List(); len(got) != tt.faults {
			t.Errorf("%s: %q: faults %q, want %d", name, tt.frames, got, tt.faults)
		}
	}
}

func TestAClientIsBehindUntilItHasTheNewestMessage(t *testing.T) {
	o := newOnlookers()
	for client, seq := range map[string]int64{"a": 3, "b": 2, "c": 0} {
		one := &onlooker{name: client}
		one.seen.Store(seq)
		o.clients[client] = one
	}
	for seq, want := range map[int64]int{1: 1, 2: 1, 3: 2, 4: 3} {
		if got := o.behind(seq); got != want {
			t.Errorf("seq %d: %d are behind, want %d", seq, got, want)
		}
	}
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newOnlookers().wait(ctx, "nothing", func() bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestAClientWaitsAsLongAsTheServerSays(t *testing.T) {
	named := fmt.Errorf("client Tom: %w", &testclient.Refusal{What: "login", Code: 4290, Retry: 7 * time.Second})
	if got := pauseBefore(0, named); got != 7*time.Second {
		t.Errorf("the server says 7s: got %v", got)
	}
	for try, most := range map[int]time.Duration{0: time.Second, 1: 2 * time.Second, 4: 16 * time.Second, 5: 16 * time.Second, 1000: 16 * time.Second} {
		var all []time.Duration
		for range 100 {
			got := pauseBefore(try, errors.New("refused"))
			if got < 0 || got >= most {
				t.Fatalf("try %d: got %v, want less than %v", try, got, most)
			}
			all = append(all, got)
		}
		if strings.Count(fmt.Sprint(all), all[0].String()) == len(all) {
			t.Errorf("try %d: all clients wait %v, want that they spread", try, all[0])
		}
	}
}
