package storetest

import (
	"slices"
	"strings"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

var uploads = []check{
	{"a file lives for a while if nothing names it", func(f *fixture) {
		f.app("shop", "ann")
		f.upload("shop", "ann", 0)
		f.pass(skein.UnnamedFor - time.Millisecond)
		f.upload("shop", "", 1)
		f.wantReleased("just before", 2)
		f.pass(time.Millisecond)
		f.wantReleased("then", 2, 0)
		f.pass(skein.UnnamedFor)
		f.wantReleased("later", 2, 0, 1)
	}},
	{"what was noted of a file is answered", func(f *fixture) {
		f.app("shop", "ann")
		want := skein.Upload{App: "shop", Name: file(0), Client: "ann", At: f.now(), Until: f.now() + 1, Size: 1 << 40, Title: "报告.pdf"}
		f.must(f.AddUpload(f.Context(), want))
		got, found, err := f.Upload(f.Context(), file(0))
		f.must(err)
		equal(f, "found", found, true)
		equal(f, "file", got, want)
		_, found, err = f.Upload(f.Context(), file(1))
		f.must(err)
		equal(f, "one that was never there", found, false)
	}},
	{"a file lives while anything of its app names it", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		in := f.conv("shop", skein.Group)
		in.Extend = []byte(`{"icon":"` + link(3) + `"}`)
		f.create(in, "ann")
		_, _, err := f.CreateClient(f.Context(), skein.Client{App: "shop", ID: "cyd", Ext: []byte(`["` + link(5) + `"]`)})
		f.must(err)
		all := 10
		for n := range all {
			f.upload("shop", "ann", n)
		}
		f.showFile("shop", conv, "ann", 0)
		f.show("shop", conv, "bob", skein.Body{Text: "see ![it](" + link(1) + ")"})
		f.show("shop", conv, "bob", skein.Body{Attr: []byte(`{"thumb":"` + strings.ReplaceAll(link(2), "/", `\/`) + `"}`)})
		f.extend("shop", conv, `"`+link(4)+`"`)
		f.describe("shop", "ann", `"`+link(6)+`"`)
		f.sketch("shop", conv, "ann", link(7))
		_, _, err = f.UpdateMember(f.Context(), "shop", conv, store.Authority{}, "bob", f.now(), func(_ skein.Conversation, m *skein.Member) error {
			m.Nickname = file(8)
			return nil
		})
		f.must(err)
		f.upload("shop", "ann", all)
		f.wantReleased("at once", all+1)
		f.pass(10 * skein.UnnamedFor)
		// What names 3 and 5 was said before they were there.
		f.wantReleased("much later", all+1, 3, 5, 9, all)
	}},
	{"what is created with a name keeps the file", func(f *fixture) {
		f.app("shop", "ann")
		f.upload("shop", "ann", 0)
		f.upload("shop", "ann", 1)
		in := f.conv("shop", skein.Group)
		in.Extend = []byte(`"` + link(0) + `"`)
		f.create(in, "ann")
		_, _, err := f.CreateClient(f.Context(), skein.Client{App: "shop", ID: "bob", Ext: []byte(`"` + link(1) + `"`)})
		f.must(err)
		f.pass(skein.UnnamedFor)
		f.wantReleased("a day later", 2)
		f.gone("shop", in.ID)
		f.wantReleased("the conversation is deleted", 2, 0)
		_, _, err = f.DeleteClient(f.Context(), "shop", "bob", f.now(), false)
		f.must(err)
		f.wantReleased("the client too", 2, 0, 1)
	}},
	{"a file goes with the last thing that names it, whoever uploaded it", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv, other := f.group("shop", "ann", "bob"), f.group("shop", "ann", "bob")
		f.upload("shop", "ann", 0)
		first, forwarded := f.showFile("shop", conv, "ann", 0), f.showFile("shop", other, "bob", 0)
		f.describe("shop", "bob", `"`+link(0)+`"`)
		f.extend("shop", conv, `"`+link(0)+`"`)
		f.change("shop", first, "ann", recall)
		f.wantReleased("forwarded", 1)
		f.change("shop", forwarded, "bob", recall)
		f.wantReleased("in ext and extend", 1)
		f.describe("shop", "bob", `{}`)
		f.wantReleased("in extend", 1)
		_, err := f.UpdateConversations(f.Context(), "shop", store.Authority{}, []skein.Condition{{Field: skein.FieldConvID, Op: skein.Eq, Values: []any{conv.String()}}}, []byte(`{}`), f.now())
		f.must(err)
		f.wantReleased("nowhere", 1, 0)
	}},
	{"a message deleted for oneself still names its files", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		f.upload("shop", "ann", 0)
		said := f.showFile("shop", conv, "ann", 0)
		f.change("shop", said, "ann", hide)
		f.pass(skein.UnnamedFor)
		f.wantReleased("hidden", 1)
		f.change("shop", said, "ann", recall)
		f.wantReleased("recalled", 1, 0)
	}},
	{"an edit lets go of what it takes away and keeps what it names", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		for n := range 5 {
			f.upload("shop", "ann", n)
		}
		said := f.show("shop", conv, "ann", skein.Body{URL: link(0), Text: link(4), Attr: []byte(`["` + link(1) + `","` + link(2) + `"]`)})
		c := edit(link(4) + " again")
		c.Message.Attr = []byte(`["` + link(2) + `","` + link(3) + `"]`)
		f.change("shop", said, "ann", c)
		f.wantReleased("edited", 5, 1)
		f.change("shop", said, "ann", react("a"))
		f.pass(skein.UnnamedFor)
		f.wantReleased("a day later", 5, 1)
		f.change("shop", said, "ann", recall)
		f.wantReleased("recalled", 5, 0, 1, 2, 3, 4)
	}},
	{"a draft that is put away leaves its files their day, for it may be sent next", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		f.upload("shop", "ann", 0)
		f.upload("shop", "ann", 1)
		f.sketch("shop", conv, "ann", link(0))
		f.sketch("shop", conv, "bob", link(1))
		f.sketch("shop", conv, "ann", "")
		f.wantReleased("put away", 2)
		f.showFile("shop", conv, "ann", 0)
		f.pass(skein.UnnamedFor)
		f.wantReleased("sent", 2)
		_, err := f.RemoveMembers(f.Context(), "shop", conv, store.Authority{}, []string{"bob"}, f.now(), 0)
		f.must(err)
		f.wantReleased("another's, who left", 2, 1)
	}},
	{"files go with a deleted conversation", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv, other := f.group("shop", "ann", "bob"), f.group("shop", "ann")
		for n := range 4 {
			f.upload("shop", "ann", n)
		}
		f.showFile("shop", conv, "ann", 0)
		f.extend("shop", conv, `"`+link(1)+`"`)
		f.sketch("shop", conv, "bob", link(2))
		f.showFile("shop", conv, "ann", 3)
		f.showFile("shop", other, "ann", 3)
		f.pass(skein.UnnamedFor)
		f.gone("shop", conv)
		f.wantReleased("deleted", 4, 0, 1, 2)
	}},
	{"files go with a temporary conversation at its end", func(f *fixture) {
		f.app("shop", "ann")
		f.upload("shop", "ann", 0)
		c := f.conv("shop", skein.Temporary)
		c.TTL = time.Hour
		f.showFile("shop", f.create(c, "ann").ID, "ann", 0)
		f.pass(time.Hour - time.Millisecond)
		f.wantReleased("before the end", 1)
		f.pass(time.Millisecond)
		f.wantReleased("at the end", 1, 0)
	}},
	{"files go with a client that is erased", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		for n := range 4 {
			f.upload("shop", "ann", n)
			f.showFile("shop", conv, "ann", n)
		}
		f.showFile("shop", conv, "bob", 1)
		f.describe("shop", "bob", `"`+link(3)+`"`)
		_, _, err := f.DeleteClient(f.Context(), "shop", "ann", f.now(), true)
		f.must(err)
		f.erase()
		f.wantReleased("erased", 4, 0, 2)
	}},
	{"files stay with the messages of a client that is deleted", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		for n := range 3 {
			f.upload("shop", "ann", n)
		}
		f.showFile("shop", conv, "ann", 0)
		f.describe("shop", "ann", `"`+link(1)+`"`)
		f.pass(skein.UnnamedFor / 2)
		_, _, err := f.DeleteClient(f.Context(), "shop", "ann", f.now(), false)
		f.must(err)
		f.wantReleased("deleted", 3, 1)
		f.clients("shop", "ann")
		f.wantReleased("created anew", 3, 1)
		f.pass(skein.UnnamedFor)
		f.wantReleased("later", 3, 1, 2)
	}},
	{"files go with a deleted app", func(f *fixture) {
		f.app("shop", "ann")
		f.app("game", "ann")
		conv, theirs := f.group("shop", "ann"), f.group("game", "ann")
		for n := range 5 {
			app := []string{"shop", "game"}[n%2]
			f.upload(app, "ann", n)
		}
		f.showFile("shop", conv, "ann", 0)
		f.showFile("game", theirs, "ann", 1)
		f.describe("shop", "ann", `"`+link(2)+`"`)
		f.must(f.DeleteApp(f.Context(), "shop"))
		f.wantReleased("deleted", 5, 0, 2, 4)
		f.app("shop")
		bytes, err := f.StoredBytes(f.Context(), "shop")
		f.must(err)
		equal(f, "stored by the next app of that id", bytes, 0)
	}},
	{"a file is its app's alone", func(f *fixture) {
		f.app("shop", "ann")
		f.app("game", "ann")
		conv, theirs := f.group("shop", "ann"), f.group("game", "ann")
		f.upload("shop", "ann", 0)
		f.upload("shop", "ann", 1)
		f.change("game", f.showFile("game", theirs, "ann", 0), "ann", recall)
		f.wantReleased("named and recalled by another app", 2)
		said := f.showFile("shop", conv, "ann", 0)
		f.showFile("game", theirs, "ann", 0)
		f.showFile("game", theirs, "ann", 1)
		f.change("shop", said, "ann", recall)
		f.wantReleased("recalled by its app", 2, 0)
		f.pass(skein.UnnamedFor)
		f.wantReleased("named by another app alone", 2, 0, 1)
		f.wantErr(f.AddUpload(f.Context(), skein.Upload{App: "none", Name: file(2)}), skein.ErrUnknownApp)
	}},
	{"a name is given once", func(f *fixture) {
		f.app("shop", "ann")
		f.app("game", "ann")
		f.upload("shop", "ann", 0)
		f.wantFault(f.AddUpload(f.Context(), skein.Upload{App: "game", Name: file(0)}), skein.ErrConflict, "name")
		f.pass(skein.UnnamedFor)
		equal(f, "released", f.released(), []int{0})
		f.wantFault(f.AddUpload(f.Context(), skein.Upload{App: "game", Name: file(0)}), skein.ErrConflict, "name")
	}},
	{"hundreds of files of one message are kept", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		var all []string
		var numbers []int
		for n := range 300 {
			f.upload("shop", "ann", n)
			all, numbers = append(all, link(n)), append(numbers, n)
		}
		said := f.show("shop", conv, "ann", skein.Body{Attr: []byte(`"` + strings.Join(all, " ") + `"`)})
		f.pass(skein.UnnamedFor)
		equal(f, "released", len(f.released()), 0)
		f.change("shop", said, "ann", recall)
		equal(f, "released by the recall", f.released(), numbers)
	}},
	{"an app with many files does not keep those of others waiting", func(f *fixture) {
		f.app("many", "ann")
		for n := range 500 {
			f.upload("many", "ann", n)
		}
		f.app("few", "ann")
		f.upload("few", "ann", 1000)
		f.pass(skein.UnnamedFor)
		for range 3 {
			_, err := f.ReleaseUploads(f.Context(), f.now())
			f.must(err)
		}
		names, err := f.ReleasedUploads(f.Context(), "", 1000)
		f.must(err)
		equal(f, "released of few in three steps", slices.Contains(names, file(1000)), true)
		if len(names) >= 500 {
			f.Errorf("three steps released %d files, want small steps", len(names))
		}
	}},
	{"a file that is due and named meanwhile is kept", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		f.upload("shop", "ann", 0)
		f.pass(skein.UnnamedFor)
		f.showFile("shop", conv, "ann", 0)
		f.wantReleased("named in the last moment", 1)
	}},
	{"what is forgotten is released no more", func(f *fixture) {
		f.app("shop", "ann")
		for n := range 5 {
			f.upload("shop", "ann", n)
		}
		f.pass(skein.UnnamedFor)
		equal(f, "all", f.released(), []int{0, 1, 2, 3, 4})
		some, err := f.ReleasedUploads(f.Context(), file(0), 2)
		f.must(err)
		equal(f, "some", some, []string{file(1), file(2)})
		f.must(f.ForgetUploads(f.Context(), append(some, file(99))))
		equal(f, "left", f.released(), []int{0, 3, 4})
	}},
	{"files in the storage that are not known are told from those that are", func(f *fixture) {
		f.app("shop", "ann")
		f.upload("shop", "ann", 0)
		f.pass(skein.UnnamedFor)
		f.upload("shop", "ann", 1)
		f.must(f.AddUpload(f.Context(), skein.Upload{App: "shop", Name: file(2), Until: skein.Forever - 1})) // from before sizes were kept
		equal(f, "released", f.released(), []int{0})
		var stored []skein.StoredFile
		for n := range 4 {
			stored = append(stored, skein.StoredFile{Name: file(n), Size: 7})
		}
		for range 2 {
			unknown, err := f.CheckUploads(f.Context(), stored)
			f.must(err)
			equal(f, "unknown", unknown, []string{file(3)})
			bytes, err := f.StoredBytes(f.Context(), "shop")
			f.must(err)
			equal(f, "stored, of which 7 were not known", bytes, 8)
		}
	}},
	{"the bytes that an app has stored are known", func(f *fixture) {
		f.app("shop", "ann")
		f.app("game", "ann")
		for n, size := range []int64{10, 200, 3000} {
			f.must(f.AddUpload(f.Context(), skein.Upload{App: "shop", Name: file(n), Size: size, Until: f.now() + skein.Millis(n)}))
		}
		f.must(f.AddUpload(f.Context(), skein.Upload{App: "game", Name: file(3), Size: 7, Until: f.now().Add(skein.UnnamedFor)}))
		f.wantErr(f.AddUpload(f.Context(), skein.Upload{App: "game", Name: file(3), Size: 7, Until: f.now().Add(skein.UnnamedFor)}), skein.ErrConflict)
		stored := func(want map[string]int64) {
			f.Helper()
			for app, want := range want {
				got, err := f.StoredBytes(f.Context(), app)
				f.must(err)
				equal(f, "stored by "+app, got, want)
			}
		}
		stored(map[string]int64{"shop": 3210, "game": 7, "none": 0})
		f.pass(time.Hour)
		equal(f, "released", f.released(), []int{0, 1, 2})
		stored(map[string]int64{"shop": 0, "game": 7})
	}},
	{"an app stores no more than its quota, whoever else uploads", func(f *fixture) {
		f.app("shop", "ann")
		f.app("game", "ann")
		add := func(app string, n int, size, quota int64) error {
			return f.AddUpload(f.Context(), skein.Upload{App: app, Name: file(n), Size: size, At: f.now(), Until: f.now().Add(time.Hour), Quota: quota})
		}
		f.wantFault(add("shop", 0, 101, 100), skein.ErrTooLarge, "file")
		f.must(add("shop", 1, 60, 100))
		f.must(add("game", 2, 100, 100))
		f.wantFault(add("shop", 3, 41, 100), skein.ErrTooLarge, "file")
		f.must(add("shop", 3, 40, 100))
		f.must(add("shop", 4, 1000, 0))
		f.wantFault(add("shop", 5, 1, 100), skein.ErrTooLarge, "file")
		got, err := f.StoredBytes(f.Context(), "shop")
		f.must(err)
		equal(f, "stored", got, int64(1100))
	}},
}
