package leancloud

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/portable/leancloud/folder"
	"github.com/skein-im/skein/internal/portable/leancloud/journal"
	"github.com/skein-im/skein/internal/portable/leancloud/standin"
)

func TestADumpHasWhatTheServerHasMessageForMessage(t *testing.T) {
	for name, o := range map[string]standin.Options{
		"as documented":                             {},
		"one millisecond is longer than a page":     {PageMost: 20, Burst: 90},
		"the same, newest first":                    {PageMost: 20, Burst: 90, Faults: standin.Faults{NoReversed: true}},
		"the same, without the history of the app":  {PageMost: 20, Burst: 90, Faults: standin.Faults{NoWalk: true}},
		"newest first is all there is":              {PageMost: 50, Faults: standin.Faults{NoReversed: true, NoWalk: true}},
		"pages are cut short without being the end": {PageMost: 30, Faults: standin.Faults{ShortPages: true}},
		"short pages of conversations alone":        {PageMost: 30, Faults: standin.Faults{ShortPages: true, NoWalk: true}},
		"messages are ahead of the server's clock":  {Faults: standin.Faults{FutureTail: true}},
		"ahead, of conversations alone":             {Faults: standin.Faults{FutureTail: true, NoWalk: true}},
		"too many requests":                         {PageMost: 50, Faults: standin.Faults{Every429: 5}},
		"answers are cut":                           {PageMost: 50, Faults: standin.Faults{EveryCut: 4}},
		"the server fails":                          {PageMost: 50, Faults: standin.Faults{Every500: 3}},
		"roles cannot be scanned":                   {Faults: standin.Faults{NoInfoClass: true}},
		"30 at once are the most":                   {Conversations: 90, Faults: standin.Faults{AtOnce: 31}},
	} {
		t.Run(name, func(t *testing.T) {
			s, options := serve(t, o)
			m := mustDump(t, options)
			sameAsTruth(t, options, s, m)
			for _, h := range m.Holes {
				t.Errorf("hole or doubt: %+v", h)
			}
			if _, most, _ := s.Stats(); most > 30 {
				t.Errorf("requests at once: got %d, want at most 30", most)
			}
			if got := len(readLines(t, filepath.Join(options.Out, folder.MemberInfosFile))); got == 0 {
				t.Error("roles: got none")
			}
		})
	}
}

func TestAnAnswerThatDoesNotComeIsAskedForAgain(t *testing.T) {
	s, o := serve(t, standin.Options{PageMost: 100, Faults: standin.Faults{EveryHang: 40}})
	o.Timeout = 2 * time.Second // longer than an answer takes that does come
	sameAsTruth(t, o, s, mustDump(t, o))
}

func TestALaterRunFetchesOnlyWhatIsNewer(t *testing.T) {
	s, o := serve(t, standin.Options{Conversations: 40, Messages: 4000})
	mustDump(t, o)
	_, _, before := s.Stats()
	for i, c := range s.Conversations() {
		if i%4 == 0 {
			s.Say(c.ID, 7)
		}
	}
	m := mustDump(t, o)
	sameAsTruth(t, o, s, m)
	_, _, after := s.Stats()
	if got := after - before; got > 1000 {
		t.Errorf("the second run was answered %d messages, want about the %d that are new, and the few of an hour before them", got, 70)
	}
	if again := mustDump(t, o); again.Messages != m.Messages {
		t.Errorf("a third run without news: got %+v, want %+v", again.Messages, m.Messages)
	}
}

func TestALaterRunFindsAMessageThatIsOlderThanTheNewestOfOthers(t *testing.T) {
	s, o := serve(t, standin.Options{})
	mustDump(t, o)
	for _, c := range s.Conversations() {
		if truth := s.Truth(c.ID); c.Kind == "conversation" && len(truth) > 0 {
			s.SayAt(c.ID, truth[len(truth)-1].Time+1) // days before the newest message of the app
		}
	}
	sameAsTruth(t, o, s, mustDump(t, o))
}

func TestTheMessagesThatFallOutFirstAreAskedForFirst(t *testing.T) {
	began := standin.Now.UnixMilli()
	day := (24 * time.Hour).Milliseconds()
	convs := []*conv{
		{id: "young", created: began - 10*day, last: began},
		{id: "old and busy", created: began - 900*day, last: began - day},
		{id: "old and silent", created: began - 400*day, last: began - 179*day},
		{id: "five months", created: began - 150*day, last: began},
	}
	byLoss(convs, began)
	var got []string
	for _, c := range convs {
		got = append(got, c.id)
	}
	if want := "old and silent, old and busy, five months, young"; strings.Join(got, ", ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestACursorThatRanOutBeginsTheScanAnew(t *testing.T) {
	s, o := serve(t, standin.Options{Conversations: 50, PageMost: 10})
	passed := false
	o.Rate, o.Clock = 1, passing{&quickClock{}, func() {
		if kinds, _, _ := s.Stats(); kinds["scan _Conversation"] == 3 && !passed {
			passed = true
			s.Pass(11 * time.Minute)
		}
	}}
	sameAsTruth(t, o, s, mustDump(t, o))
	if !passed {
		t.Error("no time passed within the scan")
	}
}

// passing calls when somebody sleeps.
type passing struct {
	*quickClock
	when func()
}

func (p passing) Sleep(ctx context.Context, d time.Duration) error {
	p.when()
	return p.quickClock.Sleep(ctx, d)
}

func TestTheProofCountsEachConversation(t *testing.T) {
	s, o := serve(t, standin.Options{})
	mustDump(t, o)
	proofs := map[string]folder.Proof{}
	for _, line := range readLines(t, filepath.Join(o.Out, folder.ProofFile)) {
		var p folder.Proof
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatal(err)
		}
		proofs[p.Conv] = p
	}
	for _, c := range s.Conversations() {
		truth := s.Truth(c.ID)
		p := proofs[c.ID]
		if p.Kind != c.Kind || p.Count != int64(len(truth)) || !p.Checked {
			t.Errorf("%s: got %+v, want kind %s, %d messages, checked", c.ID, p, c.Kind, len(truth))
		}
		if len(truth) > 0 && (p.Oldest != truth[0].Time || p.OldestID != truth[0].ID || p.NewestID != truth[len(truth)-1].ID) {
			t.Errorf("%s: got %+v, want oldest %s, newest %s", c.ID, p, truth[0].ID, truth[len(truth)-1].ID)
		}
	}
}

func TestAConversationThatDoesNotAnswerIsAHoleAndTheRestIsKept(t *testing.T) {
	s, o := serve(t, standin.Options{Faults: standin.Faults{NoWalk: true}})
	missing := filepath.Join(t.TempDir(), "export.jsonl")
	var export bytes.Buffer
	export.WriteString("#filetype:JSON-streaming {\"type\":\"Class\",\"class\":\"_Conversation\"}\n")
	for _, c := range s.Conversations() {
		export.WriteString(c.Raw + "\n")
	}
	export.WriteString(`{"objectId":"000000000000000000000000","m":["gone"]}`) // without an end
	if err := os.WriteFile(missing, export.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	o.Conversations = missing
	m := mustDump(t, o)
	if m.Complete || len(m.Holes) != 1 || m.Holes[0].Conv != "000000000000000000000000" || m.Holes[0].Doubt {
		t.Fatalf("got complete %t and holes %+v, want one hole of the conversation that is gone", m.Complete, m.Holes)
	}
	for _, c := range s.Conversations() {
		if c.Kind == "system" {
			continue
		}
		if got, want := len(readLines(t, filepath.Join(o.Out, folder.MessagesFile(c.ID)))), len(s.Truth(c.ID)); got != want {
			t.Errorf("%s: got %d messages, want %d", c.ID, got, want)
		}
	}
	if clients := readLines(t, filepath.Join(o.Out, folder.ClientsFile)); !strings.Contains(strings.Join(clients, "\n"), `{"client_id":"gone","in":["m"]}`) {
		t.Errorf("clients: got %s, want the member of the exported row too", clients)
	}
}

func TestFilesAreFetchedByTheirLinksAndDeadOnesWhereTheyAreNow(t *testing.T) {
	_, o := serve(t, standin.Options{})
	o.Files = true
	m := mustDump(t, o)
	if m.Files.Kept == 0 || !m.Files.Asked {
		t.Fatalf("got %+v, want files", m.Files)
	}
	byURL := map[string]folder.File{}
	for _, line := range readLines(t, filepath.Join(o.Out, folder.FilesFile)) {
		var f folder.File
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		byURL[f.URL] = f
		if f.Path != "" {
			if info, err := os.Stat(filepath.Join(o.Out, f.Path)); err != nil || info.Size() != f.Size {
				t.Errorf("%s: %v, want %d bytes", f.Path, err, f.Size)
			}
		}
	}
	dead := byURL["http://127.0.0.1:1/sound"]
	if dead.Path == "" || !strings.Contains(dead.From, "/files/5f") {
		t.Errorf("the link to a dead domain: got %+v, want the content from where _File says it is now", dead)
	}
	again := mustDump(t, o)
	if again.Files != m.Files {
		t.Errorf("a second run: got %+v, want %+v", again.Files, m.Files)
	}
}

func TestTheDailyBoundStopsAndGoesOnTomorrow(t *testing.T) {
	_, o := serve(t, standin.Options{})
	o.Daily = 20
	var said []string
	o.Say = func(line string) { said = append(said, line) }
	clock := &quickClock{}
	o.Clock = clock
	mustDump(t, o)
	if clock.passed < 24*time.Hour || !strings.Contains(strings.Join(said, "\n"), "the 20 requests of today are used up") {
		t.Errorf("passed %s and said %q, want more than a day and why", clock.passed, said)
	}
}

func TestTheQuotaOfTheAppEndsTheRunAndTheNextGoesOn(t *testing.T) {
	s, o := serve(t, standin.Options{PageMost: 40, Faults: standin.Faults{Daily: 10}})
	if _, err := Dump(t.Context(), o); err == nil || !strings.Contains(err.Error(), "run the same command again tomorrow") {
		t.Fatalf("got %v, want that the requests of today are used up", err)
	}
	s.Set(standin.Faults{})
	sameAsTruth(t, o, s, mustDump(t, o))
	whole, other := serve(t, standin.Options{PageMost: 40})
	mustDump(t, other)
	got, _, _ := s.Stats()
	if want, _, _ := whole.Stats(); !maps.Equal(got, want) {
		t.Errorf("requests: got %v, want %v as without a stop: nothing is asked again", got, want)
	}
}

func TestPagesAreAsLargeAsTheyMayBe(t *testing.T) {
	s, o := serve(t, standin.Options{Conversations: 250, Messages: 2500, Burst: 1200})
	o.Timeout = 2 * time.Minute // what is asked again counts as well
	sameAsTruth(t, o, s, mustDump(t, o))
	got, _, _ := s.Stats()
	for kind, most := range map[string]int{
		"scan _Conversation": 2, // and the page that is the end
		"walk":               4, // and a look at the newest
		"history":            249,
		"infos":              0, // the class was scanned
	} {
		if got[kind] > most {
			t.Errorf("%s: got %d requests, want at most %d", kind, got[kind], most)
		}
	}
}

func TestAPageThatIsCutEachTimeIsAskedForInSmallerParts(t *testing.T) {
	s, o := serve(t, standin.Options{Faults: standin.Faults{CutOver: 20_000}})
	sameAsTruth(t, o, s, mustDump(t, o))
}

func TestAWrongKeyIsSaidAtOnceAndNeverShown(t *testing.T) {
	_, o := serve(t, standin.Options{})
	o.MasterKey = "wrong-secret"
	_, err := Dump(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "refuses the app id or the master key") || strings.Contains(err.Error(), "wrong-secret") {
		t.Errorf("got %v, want that the key is refused, without it", err)
	}
}

func TestAFolderOfAnotherAppIsRefused(t *testing.T) {
	_, o := serve(t, standin.Options{})
	mustDump(t, o)
	o.AppID = "another"
	if _, err := Dump(t.Context(), o); err == nil || !strings.Contains(err.Error(), "give another folder") {
		t.Errorf("got %v, want that the folder is of another app", err)
	}
}

func TestARunThatIsFinishedEarlySaysWhatIsMissing(t *testing.T) {
	s, o := serve(t, standin.Options{Faults: standin.Faults{Daily: 10}})
	if _, err := Dump(t.Context(), o); err == nil {
		t.Fatal("got no error")
	}
	o.Finish = true
	m := mustDump(t, o)
	if m.Complete || len(m.Holes) == 0 {
		t.Fatalf("got %+v, want an incomplete manifest with holes", m)
	}
	s.Set(standin.Faults{})
	o.Finish = false
	sameAsTruth(t, o, s, mustDump(t, o))
}

func TestALastLineOfTheJournalThatIsTornIsAskedForAgain(t *testing.T) {
	for name, tail := range map[string]string{
		"no end":                    `{"step":"walk","rows":[{"timestamp":1`,
		"no end, but whole JSON":    `{"step":"walk","done":true}`,
		"an end, but not its words": "\x00\x00\x00\x00\n",
	} {
		t.Run(name, func(t *testing.T) {
			s, o := serve(t, standin.Options{PageMost: 40, Faults: standin.Faults{Daily: 10}})
			if _, err := Dump(t.Context(), o); err == nil {
				t.Fatal("got no error, want that the requests of today are used up")
			}
			f, err := os.OpenFile(filepath.Join(o.Out, journal.File), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteString(tail); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			s.Set(standin.Faults{})
			sameAsTruth(t, o, s, mustDump(t, o))
		})
	}
}
