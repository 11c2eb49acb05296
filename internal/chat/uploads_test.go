package chat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/skein-im/skein"
)

// cupboard holds files; those that are stuck cannot be removed.
type cupboard struct {
	names, stuck []string
	at           skein.Millis // when all of them were written
}

var errStuck = errors.New("stuck")

func (c *cupboard) Remove(name string) (int64, error) {
	if slices.Contains(c.stuck, name) {
		return 0, errStuck
	}
	c.names = slices.DeleteFunc(c.names, func(n string) bool { return n == name })
	return 1, nil
}

func (c *cupboard) Walk(_ context.Context, look func([]skein.StoredFile) error) error {
	for _, name := range slices.Clone(c.names) {
		if err := look([]skein.StoredFile{{Name: name, Size: 1, At: c.at}}); err != nil {
			return err
		}
	}
	return nil
}

// fileName is the name of a file, by a number.
func fileName(n int) string { return fmt.Sprintf("%032x.png", n) }

// put uploads a file.
func (f *fixture) put(shelf *cupboard, n int, by skein.Actor) string {
	f.Helper()
	shelf.names = append(shelf.names, fileName(n))
	f.must(f.Uploaded(f.Context(), by, fileName(n), "a.png", 1))
	return fileName(n)
}

// show sends a picture.
func (f *fixture) show(conv skein.ID, from, name string) skein.Message {
	f.Helper()
	m, err := f.Send(f.Context(), f.member(from), skein.Draft{Message: skein.Message{Conv: conv, Sender: from, Body: skein.Body{
		Type: skein.TypeImage, URL: "http://h/storage/uploads/" + name,
	}}})
	f.must(err)
	return m
}

func (f *fixture) tidyUp() {
	f.Helper()
	f.tidy(f.Context(), slog.New(slog.DiscardHandler))
}

func TestFilesGoWithTheLastMessageThatNamesThem(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	shelf := &cupboard{at: f.now()}
	f.files = shelf
	conv := f.create(skein.Group, "Tom", "Jerry")
	tom := f.member("Tom")
	own, shared, kept := f.put(shelf, 1, tom), f.put(shelf, 2, tom), f.put(shelf, 3, tom)
	m, twice := f.show(conv, "Tom", own), f.show(conv, "Tom", shared)
	f.show(conv, "Jerry", shared)
	f.must(f.Recall(t.Context(), tom, conv, m.ID))
	f.must(f.Recall(t.Context(), tom, conv, twice.ID))
	f.tidyUp()
	wantEqual(f, "left: what another shows, and what is new", shelf.names, []string{shared, kept})

	stuck, next := f.put(shelf, 4, tom), f.put(shelf, 5, tom)
	shelf.stuck = []string{stuck}
	f.must(f.Recall(t.Context(), tom, conv, f.show(conv, "Tom", stuck).ID))
	f.must(f.Recall(t.Context(), tom, conv, f.show(conv, "Tom", next).ID))
	f.tidyUp()
	wantEqual(f, "one that cannot be removed stops no other", shelf.names, []string{shared, kept, stuck})
	shelf.stuck = nil
	f.tidyUp()
	wantEqual(f, "upkeep tries again", shelf.names, []string{shared, kept})
	released, err := f.store.ReleasedUploads(t.Context(), "", 10)
	f.must(err)
	wantEqual(f, "and forgets what is gone", len(released), 0)

	f.put(shelf, 6, f.member("Jerry"))
	f.show(conv, "Jerry", fileName(6))
	f.must(f.DeleteUser(t.Context(), f.backend(), "Jerry", true))
	f.tidyUp()
	wantEqual(f, "after the erasure of who shared one", shelf.names, []string{kept})

	f.pass(skein.UnnamedFor)
	f.tidyUp()
	wantEqual(f, "a day later", len(shelf.names), 0)
}

func TestManyFilesThatCannotBeRemovedStopNoOther(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	shelf := &cupboard{at: f.now()}
	f.files = shelf
	for n := range removedAtOnce + 20 {
		f.put(shelf, n, f.member("Tom"))
	}
	shelf.stuck = slices.Clone(shelf.names[:removedAtOnce+10])
	f.pass(skein.UnnamedFor)
	f.tidyUp()
	f.tidyUp()
	wantEqual(f, "left", len(shelf.names), len(shelf.stuck))
	shelf.stuck = nil
	f.tidyUp()
	f.tidyUp()
	wantEqual(f, "left in the end", len(shelf.names), 0)
}

func TestFilesThatTheStoreDoesNotKnowGoOnceTheyAreOld(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	shelf := &cupboard{at: f.now()}
	f.files = shelf
	named := f.put(shelf, 1, f.member("Tom"))
	f.show(f.create(skein.Group, "Tom"), "Tom", named)
	shelf.names = append(shelf.names, fileName(2)) // a crash came before its row
	f.tidyUp()
	wantEqual(f, "at first", shelf.names, []string{named, fileName(2)})
	f.pass(skein.UnnamedFor - time.Minute)
	f.tidyUp()
	wantEqual(f, "before a day has passed", shelf.names, []string{named, fileName(2)})
	f.pass(time.Minute)
	f.tidyUp()
	wantEqual(f, "a day later", shelf.names, []string{named})
}
