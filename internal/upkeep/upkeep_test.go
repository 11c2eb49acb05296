package upkeep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite"
	"github.com/skein-im/skein/internal/store/sqlite/sqlitetest"
)

// memoryFiles are files in memory. The stuck ones cannot be removed.
type memoryFiles struct {
	names, stuck []string
	at           skein.Millis // when all of them were written
}

func (m *memoryFiles) Remove(_ context.Context, name string) (int64, error) {
	if slices.Contains(m.stuck, name) {
		return 0, errors.New("stuck")
	}
	m.names = slices.DeleteFunc(m.names, func(n string) bool { return n == name })
	return 1, nil
}

func (m *memoryFiles) Walk(_ context.Context, look func([]skein.StoredFile) error) error {
	for _, name := range slices.Clone(m.names) {
		if err := look([]skein.StoredFile{{Name: name, Size: 1, At: m.at}}); err != nil {
			return err
		}
	}
	return nil
}

// silent is for use cases whose events nobody hears.
type silent struct{}

func (silent) Say(skein.Committed)                    {}
func (silent) Tell(skein.Notice)                      {}
func (silent) Cut(skein.Cut)                          {}
func (silent) RingAll(string, skein.ID, int64, int64) {}

// fixture is the upkeep of a real store in which Tom and Jerry talk in one group.
type fixture struct {
	*testing.T

	store  store.Store
	chat   *chat.Service
	upkeep *Upkeep
	files  memoryFiles
	clock  time.Time
	shop   *skein.App
	conv   skein.ID
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{T: t, clock: time.UnixMilli(1_790_000_000_000), shop: &skein.App{ID: "shop", Settings: skein.Settings{}.WithDefaults()}}
	f.files.at = skein.MillisOf(f.clock)
	now := func() time.Time { return f.clock }
	st, err := sqlite.Open(t.Context(), sqlite.Options{Path: sqlitetest.File(t), Readers: 1, Now: now, SearchTime: time.Hour})
	f.must(err)
	t.Cleanup(func() { f.must(st.Close()) })
	f.store, f.chat = st, chat.New(chat.Options{Store: st, Events: silent{}, Now: now})
	f.upkeep = New(Options{Store: st, Files: &f.files, Now: now, Log: slog.New(slog.DiscardHandler)})
	f.must(st.CreateApp(t.Context(), skein.App{ID: "shop"}))
	for _, id := range []string{"Tom", "Jerry"} {
		_, err := f.chat.CreateUser(t.Context(), f.backend(), id, nil)
		f.must(err)
	}
	f.conv = f.group("Tom", "Jerry")
	return f
}

func (f *fixture) backend() skein.Actor { return skein.Actor{App: f.shop, Need: skein.NeedManager} }

func (f *fixture) as(client string) skein.Actor {
	return skein.Actor{App: f.shop, Client: client, Need: skein.NeedMember}
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) group(creator string, others ...string) skein.ID {
	f.Helper()
	made, err := f.chat.CreateConversation(f.Context(), f.backend(), creator, others, skein.Conversation{Type: skein.Group})
	f.must(err)
	return made.ID
}

// send sends a text, or with a file a picture.
func (f *fixture) send(from, text, file string) skein.Message {
	f.Helper()
	body := skein.Body{Type: skein.TypeText, Text: text}
	if file != "" {
		body = skein.Body{Type: skein.TypeImage, URL: "http://h/storage/uploads/" + file}
	}
	sent := f.chat.Send(f.Context(), f.as(from), []skein.Draft{{Message: skein.Message{Conv: f.conv, Sender: from, Body: body}}})[0]
	f.must(sent.Err)
	return sent.Message
}

// upload stores the nth file.
func (f *fixture) upload(n int, by string) string {
	f.Helper()
	f.files.names = append(f.files.names, fileName(n))
	f.must(f.chat.Uploaded(f.Context(), f.as(by), fileName(n), "a.png", 1))
	return fileName(n)
}

// sendAndRecall sends a file and recalls the message.
func (f *fixture) sendAndRecall(from, file string) {
	f.Helper()
	f.must(f.chat.Recall(f.Context(), f.as(from), f.conv, f.send(from, "", file).ID))
}

func fileName(n int) string { return fmt.Sprintf("%032x.png", n) }

// after runs a round and compares the files that are left.
func (f *fixture) after(what string, want ...string) {
	f.Helper()
	f.upkeep.round(f.Context())
	if !slices.Equal(f.files.names, want) {
		f.Errorf("%s: the files are %v, want %v", what, f.files.names, want)
	}
}

func TestARoundLeavesNothingThatIsDue(t *testing.T) {
	f := newFixture(t)
	for range 20 {
		f.send("Tom", "hello", "")
	}
	_, _, err := f.store.DeleteClient(t.Context(), "shop", "Tom", skein.MillisOf(f.clock), true)
	f.must(err)
	f.must(f.chat.DeleteConversation(t.Context(), f.backend(), f.group("Jerry")))
	f.upkeep.round(t.Context())
	for what, step := range map[string]func(context.Context, skein.Millis) (bool, error){"purge": f.store.Purge, "erase": func(ctx context.Context, now skein.Millis) (more bool, err error) {
		_, more, err = f.store.EraseMessages(ctx, now)
		return more, err
	}} {
		if more, err := step(t.Context(), skein.MillisOf(f.clock)); more || err != nil {
			t.Errorf("%s after a round: more %v, %v; want nothing left", what, more, err)
		}
	}
	m, _, err := f.chat.Page(t.Context(), f.backend(), f.conv, 1, 1)
	f.must(err)
	if m[0].Text != "" {
		t.Errorf("the text of an erased message: got %q, want none", m[0].Text)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.upkeep.Run(ctx) // returns
	f.upkeep.round(ctx)
}

func TestAFileIsRemovedWithTheLastMessageThatRefersToIt(t *testing.T) {
	f := newFixture(t)
	own, shared, kept := f.upload(1, "Tom"), f.upload(2, "Tom"), f.upload(3, "Tom")
	f.send("Jerry", "", shared)
	f.sendAndRecall("Tom", own)
	f.sendAndRecall("Tom", shared)
	f.after("another message refers to one, and one is new", shared, kept)

	stuck, next := f.upload(4, "Tom"), f.upload(5, "Tom")
	f.files.stuck = []string{stuck}
	f.sendAndRecall("Tom", stuck)
	f.sendAndRecall("Tom", next)
	f.after("one that cannot be removed stops no other", shared, kept, stuck)
	f.files.stuck = nil
	f.after("it is tried again", shared, kept)
	released, err := f.store.ReleasedUploads(t.Context(), "", 10)
	f.must(err)
	if len(released) != 0 {
		t.Errorf("the store still has %v as released, want none", released)
	}

	f.send("Jerry", "", f.upload(6, "Jerry"))
	f.must(second(f.chat.DeleteUser(t.Context(), f.backend(), "Jerry", true)))
	f.after("the client whose messages referred to them is erased", kept)
	f.clock = f.clock.Add(skein.UnnamedFor)
	f.after("a day later")
}

func TestManyFilesThatCannotBeRemovedStopNoOther(t *testing.T) {
	f := newFixture(t)
	for n := range removedAtOnce + 20 {
		f.upload(n, "Tom")
	}
	f.files.stuck = slices.Clone(f.files.names[:removedAtOnce+10])
	f.clock = f.clock.Add(skein.UnnamedFor)
	f.upkeep.round(t.Context())
	f.after("the others are gone", f.files.stuck...)
	f.files.stuck = nil
	f.upkeep.round(t.Context())
	f.after("all can be removed")
}

func TestAFileThatTheStoreDoesNotKnowIsRemovedAfterADay(t *testing.T) {
	f := newFixture(t)
	known := f.upload(1, "Tom")
	f.send("Tom", "", known)
	unknown := fileName(2)
	f.files.names = append(f.files.names, unknown) // a crash came before its row
	f.after("at first", known, unknown)
	f.clock = f.clock.Add(skein.UnnamedFor - time.Minute)
	f.after("before a day has passed", known, unknown)
	f.clock = f.clock.Add(time.Minute)
	f.after("a day later", known)
}

// second is the error of a call that also returns something else.
func second[T any](_ T, err error) error { return err }
