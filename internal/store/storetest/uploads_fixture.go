package storetest

import (
	"fmt"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// file is the name of a file, by a number.
func file(n int) string { return fmt.Sprintf("%032x.png", n) }

func link(n int) string { return "https://cdn.example/im/storage/uploads/" + file(n) }

// upload notes a file of a client; empty: of the backend.
func (f *fixture) upload(app, client string, n int) {
	f.Helper()
	f.must(f.AddUpload(f.Context(), skein.Upload{App: app, Name: file(n), Client: client, At: f.now(), Until: f.now().Add(skein.UnnamedFor), Size: 1}))
}

// show stores a picture of a member.
func (f *fixture) show(app string, conv skein.ID, sender string, b skein.Body) skein.Message {
	f.Helper()
	d := f.draft(app, conv, sender, "")
	d.Body = b
	d.Type = skein.TypeImage
	m, _, err := f.Append(f.Context(), d)
	f.must(err)
	return m
}

// showFile is show of what is at a link to the file.
func (f *fixture) showFile(app string, conv skein.ID, sender string, n int) skein.Message {
	f.Helper()
	return f.show(app, conv, sender, skein.Body{URL: link(n)})
}

// extend replaces a conversation's extend.
func (f *fixture) extend(app string, conv skein.ID, extend string) {
	f.Helper()
	_, err := f.UpdateConversation(f.Context(), app, conv, store.Authority{}, func(c *skein.Conversation) error {
		c.Extend = []byte(extend)
		return nil
	})
	f.must(err)
}

// describe replaces a client's ext.
func (f *fixture) describe(app, client, ext string) {
	f.Helper()
	_, err := f.UpdateClient(f.Context(), app, client, func(c *skein.Client) error {
		c.Ext = []byte(ext)
		return nil
	})
	f.must(err)
}

// sketch replaces a member's draft.
func (f *fixture) sketch(app string, conv skein.ID, client, draft string) {
	f.Helper()
	_, _, err := f.UpdateMember(f.Context(), app, conv, store.Authority{}, client, f.now(), func(_ skein.Conversation, m *skein.Member) error {
		m.Draft = draft
		return nil
	})
	f.must(err)
}

// gone deletes a conversation.
func (f *fixture) gone(app string, conv skein.ID) {
	f.Helper()
	_, err := f.DeleteConversation(f.Context(), app, conv, store.Authority{})
	f.must(err)
}

// lives reports whether a file is found.
func (f *fixture) lives(n int) bool {
	f.Helper()
	u, found, err := f.Upload(f.Context(), file(n))
	f.must(err)
	if found && u.Name != file(n) {
		f.Fatalf("asked for %s, got %+v", file(n), u)
	}
	return found
}

// living are those of files 0 to n-1 that are found.
func (f *fixture) living(n int) (living []int) {
	f.Helper()
	for i := range n {
		if f.lives(i) {
			living = append(living, i)
		}
	}
	return living
}

// released does all the upkeep and answers the numbers of the files to remove, in
// order. None of them is found.
func (f *fixture) released() (numbers []int) {
	f.Helper()
	f.purge()
	f.erase()
	f.untilDone(func() (bool, error) { return f.FillUploads(f.Context()) })
	f.untilDone(func() (bool, error) { return f.ReleaseUploads(f.Context(), f.now()) })
	names, err := f.ReleasedUploads(f.Context(), "", 10_000)
	f.must(err)
	for _, name := range names {
		var n int
		if _, err := fmt.Sscanf(name, "%032x.png", &n); err != nil || f.lives(n) {
			f.Fatalf("released %q, which is found (%v)", name, err)
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// wantReleased wants these files to be found no more, at once, and to be released.
func (f *fixture) wantReleased(what string, of int, want ...int) {
	f.Helper()
	var living []int
	for n := range of {
		if !slices.Contains(want, n) {
			living = append(living, n)
		}
	}
	equal(f, what+": those that live before the upkeep", f.living(of), living)
	equal(f, what+": released", f.released(), want)
	equal(f, what+": those that live", f.living(of), living)
}
