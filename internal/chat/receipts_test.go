package chat

import (
	"fmt"
	"testing"

	"github.com/skein-im/skein"
)

// passed is the notice that a client has come to a seq.
func passed(client string, seq int64) string {
	return fmt.Sprintf("conv.read by %q [] also [] audience members [{%s %d %d}]", client, client, seq, seq)
}

func TestWhoAnswersHasReadAndTheOthersAreTold(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.create(skein.Group, "Tom", "Jerry")
	f.told = nil
	for range 3 {
		f.send(conv, "Tom", "hi")
	}
	f.wantTold("Tom has nothing to read")
	f.send(conv, "Jerry", "answer")
	f.wantTold("Jerry answers", passed("Jerry", 4))
	f.send(conv, "Jerry", "again")
	f.wantTold("Jerry goes on")
	_, err := f.Read(t.Context(), f.as("Jerry", skein.NeedMember), conv, "Jerry", nil)
	f.must(err)
	f.wantTold("Jerry says that it has read", passed("Jerry", 5))
	f.send(conv, "Tom", "and I")
	f.wantTold("Tom answers", passed("Tom", 6))
	_, err = f.Read(t.Context(), f.as("Jerry", skein.NeedMember), conv, "Jerry", nil)
	f.must(err)
	f.wantTold("Jerry reads it", passed("Jerry", 6))
	f.send(conv, "Jerry", "done")
	f.wantTold("Jerry had read all")
}

func TestAMessageInAnothersNameDoesNotReadForIt(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	for name, tt := range map[string]struct {
		markRead bool
		read     int64
		told     []string
	}{
		"as it is":       {false, 0, nil},
		"with mark_read": {true, 4, []string{`conv.read by "" [] also [] audience members [{Jerry 4 4}]`}},
	} {
		conv := f.create(skein.Group, "Tom", "Jerry")
		f.say(conv, 3)
		f.told = nil
		in := textOf(conv, "Jerry", "says the backend")
		in.MarkRead = tt.markRead
		_, err := f.Send(t.Context(), f.backend(), in)
		f.must(err)
		f.wantTold(name, tt.told...)
		v, err := f.View(t.Context(), f.backend(), conv, "Jerry")
		f.must(err)
		wantEqual(f, name+": read", v.Member.Read(), tt.read)
		readers, err := f.Readers(t.Context(), f.backend(), conv, new(int64(3)), skein.MemberQuery{Limit: 10})
		f.must(err)
		wantEqual(f, name+": readers of seq 3", readers.Read, 1+int(tt.read/4))
	}
}
