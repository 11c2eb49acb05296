package storetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/skein-im/skein"
)

// file is the name of a file, by a number.
func file(n int) string { return fmt.Sprintf("%032x.png", n) }

// upload notes a file of a client; empty: of the backend.
func (f *fixture) upload(app, client string, n int) {
	f.Helper()
	f.must(f.AddUpload(f.Context(), skein.Upload{App: app, Name: file(n), Client: client, At: f.now()}))
}

// show stores a picture.
func (f *fixture) show(app string, conv skein.ID, sender string, need skein.Need, b skein.Body) skein.Message {
	f.Helper()
	d := f.draft(app, conv, sender, "")
	d.Body, d.Need = b, need
	d.Type = skein.TypeImage
	m, _, err := f.Append(f.Context(), d)
	f.must(err)
	return m
}

// showFile is show by a member of what is at a link to the file.
func (f *fixture) showFile(app string, conv skein.ID, sender string, n int) skein.Message {
	f.Helper()
	return f.show(app, conv, sender, skein.NeedMember, skein.Body{URL: link(n)})
}

func link(n int) string { return "https://cdn.example/im/storage/uploads/" + file(n) }

// gone deletes a conversation and all that is in it.
func (f *fixture) gone(app string, conv skein.ID) {
	f.Helper()
	_, err := f.DeleteConversation(f.Context(), app, conv)
	f.must(err)
	f.purge()
}

// released are the files that may go, in order.
func (f *fixture) released() []string {
	f.Helper()
	names, err := f.ReleasedUploads(f.Context(), 1000)
	f.must(err)
	slices.Sort(names)
	return names
}

var uploads = []check{
	{"a recall releases what its sender uploaded", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		n := 0
		for name, tt := range map[string]struct {
			uploader string
			need     skein.Need
			url      string // with $ for the link, and % for the name alone
			attr     string
			want     bool
		}{
			"by url":               {"ann", skein.NeedMember, "$", "", true},
			"by a url with more":   {"ann", skein.NeedMember, "$?w=1#x", "", true},
			"by attr":              {"ann", skein.NeedMember, "", `{"thumb":"$"}`, true},
			"by attr, escaped":     {"ann", skein.NeedMember, "", `["https:\/\/x\/storage\/uploads\/%"]`, true},
			"behind what is none":  {"ann", skein.NeedMember, "", `"/storage/uploads/x $"`, true},
			"by another path":      {"ann", skein.NeedMember, "/other/%", "", false},
			"with more of a name":  {"ann", skein.NeedMember, "$x", "", false},
			"another's file":       {"bob", skein.NeedMember, "$", "", false},
			"the backend's":        {"", skein.NeedMember, "$", "", false},
			"the backend's, by it": {"", skein.NeedServer, "$", "", true},
			"by it, the sender's":  {"ann", skein.NeedServer, "$", "", true},
			"by it, another's":     {"bob", skein.NeedServer, "$", "", false},
		} {
			n++
			f.upload("shop", tt.uploader, n)
			fill := strings.NewReplacer("$", link(n), "%", file(n)).Replace
			m := f.show("shop", conv, "ann", tt.need, skein.Body{URL: fill(tt.url), Attr: []byte(fill(tt.attr))})
			equal(f, name+", before", slices.Contains(f.released(), file(n)), false)
			f.change("shop", m, "bob", recall)
			equal(f, name, slices.Contains(f.released(), file(n)), tt.want)
		}
	}},
	{"a link in a text is prose", func(f *fixture) {
		f.app("shop", "ann")
		f.upload("shop", "ann", 1)
		f.change("shop", f.say("shop", f.group("shop", "ann"), "ann", link(1)), "ann", recall)
		equal(f, "released", len(f.released()), 0)
	}},
	{"whoever names a file as well keeps it", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv, other := f.group("shop", "ann", "bob"), f.group("shop", "ann", "bob")
		f.upload("shop", "ann", 1)
		first, second := f.showFile("shop", conv, "ann", 1), f.showFile("shop", other, "ann", 1)
		forwarded := f.showFile("shop", other, "bob", 1)
		for _, m := range []skein.Message{first, second} {
			f.change("shop", m, "ann", recall)
			equal(f, "released", len(f.released()), 0)
		}
		f.change("shop", forwarded, "bob", recall)
		equal(f, "named by nobody", f.released(), []string{file(1)})
		again := f.showFile("shop", conv, "bob", 1)
		equal(f, "named again", len(f.released()), 0)
		f.change("shop", again, "bob", recall)
		equal(f, "and recalled again", f.released(), []string{file(1)})
		f.showFile("shop", conv, "ann", 1)
		equal(f, "named by its uploader", len(f.released()), 0)
	}},
	{"who says a file again means to keep it, even where that is gone", func(f *fixture) {
		f.app("shop", "ann")
		conv, gone := f.group("shop", "ann"), f.group("shop", "ann")
		f.upload("shop", "ann", 1)
		f.change("shop", f.showFile("shop", conv, "ann", 1), "ann", recall)
		f.showFile("shop", gone, "ann", 1)
		f.gone("shop", gone)
		equal(f, "released", len(f.released()), 0)
	}},
	{"only a recall or an erasure releases, not a message that is gone with its conversation", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv, gone := f.group("shop", "ann", "bob"), f.group("shop", "ann", "bob")
		for n := range 3 {
			f.upload("shop", "ann", n)
			f.showFile("shop", gone, "ann", n)
		}
		said := f.showFile("shop", conv, "ann", 1)
		f.change("shop", said, "ann", hide)
		f.gone("shop", gone)
		f.change("shop", said, "ann", recall)
		equal(f, "released", f.released(), []string{file(1)})
	}},
	{"an erasure releases what was said by who is erased", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		for n := range 3 {
			f.upload("shop", "ann", n)
			f.showFile("shop", conv, "ann", n)
		}
		f.showFile("shop", conv, "bob", 1)
		_, err := f.DeleteClient(f.Context(), "shop", "ann", f.now(), true)
		f.must(err)
		equal(f, "before", len(f.released()), 0)
		f.erase()
		equal(f, "released", f.released(), []string{file(0), file(2)})
	}},
	{"an edit releases what it takes away and keeps what it names", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		for n := range 4 {
			f.upload("shop", "ann", n)
		}
		said := f.show("shop", conv, "ann", skein.NeedMember, skein.Body{URL: link(0), Attr: []byte(`["` + link(1) + `","` + link(2) + `"]`)})
		c := edit("")
		c.Message.Attr = []byte(`["` + link(2) + `","` + link(3) + `"]`)
		f.change("shop", said, "ann", c)
		equal(f, "released", f.released(), []string{file(1)})
		f.change("shop", said, "ann", react("a"))
		equal(f, "after a reaction", f.released(), []string{file(1)})
		f.change("shop", said, "ann", recall)
		equal(f, "after the recall", f.released(), []string{file(0), file(1), file(2), file(3)})
	}},
	{"an edit withdraws nothing that the message still names", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		f.upload("shop", "ann", 1)
		f.change("shop", f.showFile("shop", conv, "ann", 1), "ann", edit("with a text"))
		f.gone("shop", conv)
		equal(f, "released", len(f.released()), 0)
	}},
	{"a file is its app's alone", func(f *fixture) {
		f.app("shop", "ann")
		f.app("game", "ann")
		conv, theirs := f.group("shop", "ann"), f.group("game", "ann")
		f.upload("shop", "ann", 1)
		f.change("game", f.showFile("game", theirs, "ann", 1), "ann", recall)
		equal(f, "by another app", len(f.released()), 0)
		said := f.showFile("shop", conv, "ann", 1)
		f.showFile("game", theirs, "ann", 1)
		f.change("shop", said, "ann", recall)
		equal(f, "by its app", f.released(), []string{file(1)})
		f.wantErr(f.AddUpload(f.Context(), skein.Upload{App: "none", Name: file(2)}), skein.ErrUnknownApp)
		f.wantFault(f.AddUpload(f.Context(), skein.Upload{App: "game", Name: file(1)}), skein.ErrConflict, "name")
	}},
	{"the bytes that an app has stored are known", func(f *fixture) {
		f.app("shop", "ann")
		f.app("game", "ann")
		for n, size := range []int64{10, 200, 3000} {
			f.must(f.AddUpload(f.Context(), skein.Upload{App: "shop", Name: file(n), Size: size}))
		}
		f.must(f.AddUpload(f.Context(), skein.Upload{App: "game", Name: file(3), Size: 7}))
		f.wantErr(f.AddUpload(f.Context(), skein.Upload{App: "game", Name: file(3), Size: 7}), skein.ErrConflict)
		f.must(f.ForgetUpload(f.Context(), file(1)))
		for app, want := range map[string]int64{"shop": 3010, "game": 7, "none": 0} {
			got, err := f.StoredBytes(f.Context(), app)
			f.must(err)
			equal(f, "stored by "+app, got, want)
		}
	}},
	{"what is forgotten is released no more", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		for n := range 5 {
			f.upload("shop", "ann", n)
			f.change("shop", f.showFile("shop", conv, "ann", n), "ann", recall)
		}
		some, err := f.ReleasedUploads(f.Context(), 2)
		f.must(err)
		equal(f, "some", len(some), 2)
		for _, name := range some {
			f.must(f.ForgetUpload(f.Context(), name))
		}
		left := f.released()
		equal(f, "left", len(left), 3)
		equal(f, "none of the forgotten", slices.Contains(left, some[0]) || slices.Contains(left, some[1]), false)
		f.must(f.ForgetUpload(f.Context(), file(99)))
		f.must(f.AddUpload(f.Context(), skein.Upload{App: "shop", Name: some[0], Client: "ann"}))
		equal(f, "uploaded anew", len(f.released()), 3)
	}},
	{"sixteen files of a message are kept track of", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		var all []string
		for n := range 20 {
			f.upload("shop", "ann", n)
			all = append(all, link(n))
		}
		said := f.show("shop", conv, "ann", skein.NeedMember, skein.Body{Attr: []byte(`"` + strings.Join(all, " ") + `"`)})
		f.change("shop", said, "ann", recall)
		equal(f, "released", len(f.released()), 16)
	}},
}
