package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

var fileModel = []check{
	{"whatever is done, a file is kept while something names it and goes when nothing does", func(f *fixture) {
		runs := 0
		InWorlds(f.T, func(t *rapid.T) {
			runs++
			s := newFileWorld(t, f, runs)
			t.Repeat(map[string]func(*rapid.T){
				"":                    s.same,
				"upload":              s.upload,
				"open":                s.open,
				"send":                s.send,
				"send again":          s.send, // more often than the others
				"edit":                s.edit,
				"recall":              s.recall,
				"hide":                s.hide,
				"extend":              s.extend,
				"extend many":         s.extendMany,
				"describe":            s.describe,
				"draft":               s.draft,
				"remove member":       s.removeMember,
				"delete conversation": s.deleteConversation,
				"delete client":       s.deleteClient,
				"delete app":          s.deleteApp,
				"wait":                s.wait,
				"tidy":                s.tidy,
			})
		})
	}},
}

// fileWorld is the model: which files there are, and what is said where.
type fileWorld struct {
	f     *fixture
	first int // number of the first file
	apps  []string
	gone  map[string]bool // apps
	files []*stored
	convs []*fileConv
	exts  map[[2]string]*saying // by app and client
	nonce int
}

// stored is a file of the model.
type stored struct {
	app      string
	kept     skein.Millis // it stays until then, whatever names it
	released bool
}

// fileConv is a conversation of the model.
type fileConv struct {
	id      skein.ID
	app     string
	expires skein.Millis // 0: never
	deleted bool
	extend  *saying
	drafts  map[string]*saying
	posts   []*post
}

// post is a message of the model.
type post struct {
	skein.Message

	urlFiles []int
	says     *saying // nil: it is blank
	erased   bool    // at the next upkeep
}

// saying is something that names files.
type saying struct{ files []int }

func newFileWorld(t *rapid.T, f *fixture, run int) *fileWorld {
	s := &fileWorld{f: f, first: run * 100, gone: map[string]bool{}, exts: map[[2]string]*saying{}}
	for _, app := range []string{"shop", "game"} {
		app = fmt.Sprint(app, run)
		s.apps = append(s.apps, app)
		expectErr(t, "CreateApp", f.CreateApp(f.Context(), skein.App{ID: app, Created: f.now()}), nil)
		for _, client := range talkers {
			_, _, err := f.CreateClient(f.Context(), skein.Client{App: app, ID: client})
			expectErr(t, "CreateClient", err, nil)
			s.exts[[2]string{app, client}] = &saying{}
		}
		s.begin(t, app, skein.Group)
		s.begin(t, app, skein.Temporary)
	}
	for i := range 5 {
		s.store(t, s.apps[i%3%2])
	}
	return s
}

// past reports whether the conversation is unknown.
func (s *fileWorld) past(h *fileConv) bool {
	return h.deleted || s.gone[h.app] || h.expires != 0 && h.expires <= s.f.now()
}

// name is what becomes of a saying of app that names these files now.
func (s *fileWorld) name(app string, by *saying, draft bool, files ...[]int) {
	by.files = nil
	for _, n := range slices.Concat(files...) {
		if n >= len(s.files) || s.files[n].released || s.files[n].app != app {
			continue
		}
		by.files = append(by.files, n)
		if !draft {
			s.files[n].kept = 0
		}
	}
}

// lives is what the model says of a file.
func (s *fileWorld) lives(n int) bool {
	file := s.files[n]
	if file.released || s.gone[file.app] {
		return false
	}
	if file.kept > s.f.now() {
		return true
	}
	names := func(by *saying) bool { return by != nil && slices.Contains(by.files, n) }
	for _, ext := range s.exts {
		if names(ext) {
			return true
		}
	}
	for _, h := range s.convs {
		if s.past(h) {
			continue
		}
		if names(h.extend) || slices.ContainsFunc(h.posts, func(p *post) bool { return names(p.says) }) {
			return true
		}
		for _, draft := range h.drafts {
			if names(draft) {
				return true
			}
		}
	}
	return false
}

func (s *fileWorld) same(t *rapid.T) {
	for n := range s.files {
		_, found, err := s.f.Upload(s.f.Context(), file(s.first+n))
		expectErr(t, "Upload", err, nil)
		expect(t, fmt.Sprint("file ", n, " is found"), found, s.lives(n))
	}
}

func (s *fileWorld) tidy(t *rapid.T) {
	for _, h := range s.convs {
		for _, p := range h.posts {
			if p.erased {
				p.says = nil
			}
		}
	}
	s.f.released()
	names, err := s.f.ReleasedUploads(s.f.Context(), "", 100_000)
	expectErr(t, "ReleasedUploads", err, nil)
	for n := range s.files {
		s.files[n].released = s.files[n].released || !s.lives(n)
		expect(t, fmt.Sprint("file ", n, " is released"), slices.Contains(names, file(s.first+n)), s.files[n].released)
	}
}

func (s *fileWorld) wait(t *rapid.T) {
	s.f.pass(rapid.SampledFrom([]time.Duration{time.Hour, 5 * time.Hour, skein.UnnamedFor}).Draw(t, "for"))
}

func (s *fileWorld) drawApp(t *rapid.T) string {
	app := rapid.SampledFrom(s.apps).Draw(t, "app")
	if s.gone[app] {
		t.Skip("the app is deleted")
	}
	return app
}

func (s *fileWorld) drawFileConv(t *rapid.T) *fileConv {
	var open []*fileConv
	for _, h := range s.convs {
		if !s.past(h) {
			open = append(open, h)
		}
	}
	if len(open) == 0 {
		t.Skip("no conversation")
	}
	return open[rapid.IntRange(0, len(open)-1).Draw(t, "conversation")]
}

func (h *fileConv) drawMember(t *rapid.T) string {
	client := drawTalker(t)
	if h.drafts[client] == nil {
		t.Skip("no member")
	}
	return client
}

// drawFiles draws files to name, and some that are not there; it answers a text with
// links to them.
func (s *fileWorld) drawFiles(t *rapid.T, most int) (files []int, text string) {
	files = rapid.SliceOfN(rapid.IntRange(0, 6), 0, most).Draw(t, "files")
	s.nonce++
	text = fmt.Sprint(s.nonce)
	for _, n := range files {
		l := link(s.first + n)
		switch rapid.IntRange(0, 4).Draw(t, "written") {
		case 0:
			l = strings.ReplaceAll(l, "/", `\/`)
		case 1:
			l = strings.ReplaceAll(l, "/", "%2f")
		case 2:
			l = "![](/storage/uploads/" + file(s.first+n) + ")"
		case 3:
			l = strings.ReplaceAll(l, "/", `\u002F`)
		}
		text += " " + l
	}
	return files, text
}

func (s *fileWorld) upload(t *rapid.T) {
	if len(s.files) > 6 {
		t.Skip("enough files")
	}
	s.store(t, s.drawApp(t))
}

func (s *fileWorld) store(t *rapid.T, app string) {
	u := skein.Upload{App: app, Name: file(s.first + len(s.files)), Until: s.f.now().Add(skein.UnnamedFor)}
	expectErr(t, "AddUpload", s.f.AddUpload(s.f.Context(), u), nil)
	s.files = append(s.files, &stored{app: u.App, kept: u.Until})
}

func (s *fileWorld) open(t *rapid.T) {
	s.begin(t, s.drawApp(t), rapid.SampledFrom([]skein.ConvType{skein.Group, skein.Temporary}).Draw(t, "type"))
}

func (s *fileWorld) begin(t *rapid.T, app string, typ skein.ConvType) {
	c := s.f.conv(app, typ)
	if typ == skein.Temporary {
		c.TTL = 7 * time.Hour
	}
	files, text := s.drawFiles(t, 2)
	c.Extend = []byte(`"` + text + `"`)
	h := &fileConv{id: c.ID, app: app, extend: &saying{}, drafts: map[string]*saying{}}
	var members []string
	for _, client := range talkers {
		if s.exts[[2]string{app, client}] != nil {
			members, h.drafts[client] = append(members, client), &saying{}
		}
	}
	_, _, err := s.f.CreateConversation(s.f.Context(), c, s.f.joining(members...), store.MemberLimit{})
	expectErr(t, "CreateConversation", err, nil)
	s.name(app, h.extend, false, files)
	if c.TTL > 0 {
		h.expires = s.f.now().Add(c.TTL)
	}
	s.convs = append(s.convs, h)
}

func (s *fileWorld) extend(t *rapid.T) {
	h := s.drawFileConv(t)
	files, text := s.drawFiles(t, 3)
	_, err := s.f.UpdateConversation(s.f.Context(), h.app, h.id, store.Authority{}, func(c *skein.Conversation) error {
		c.Extend = []byte(`"` + text + `"`)
		return nil
	})
	expectErr(t, "UpdateConversation", err, nil)
	s.name(h.app, h.extend, false, files)
}

func (s *fileWorld) extendMany(t *rapid.T) {
	app := s.drawFileConv(t).app
	files, text := s.drawFiles(t, 3)
	_, err := s.f.UpdateConversations(s.f.Context(), app, store.Authority{}, nil, []byte(`"`+text+`"`), s.f.now())
	expectErr(t, "UpdateConversations", err, nil)
	for _, h := range s.convs {
		if h.app == app && !s.past(h) {
			s.name(app, h.extend, false, files)
		}
	}
}

// describe replaces a client's ext; one that was deleted is created anew with it.
func (s *fileWorld) describe(t *rapid.T) {
	app, client := s.drawApp(t), drawTalker(t)
	files, text := s.drawFiles(t, 2)
	ext, key := []byte(`"`+text+`"`), [2]string{app, client}
	var err error
	if s.exts[key] == nil {
		s.exts[key] = &saying{}
		_, _, err = s.f.CreateClient(s.f.Context(), skein.Client{App: app, ID: client, Ext: ext})
	} else {
		_, err = s.f.UpdateClient(s.f.Context(), app, client, func(c *skein.Client) error {
			c.Ext = ext
			return nil
		})
	}
	expectErr(t, "ext", err, nil)
	s.name(app, s.exts[key], false, files)
}

func (s *fileWorld) draft(t *rapid.T) {
	h := s.drawFileConv(t)
	client := h.drawMember(t)
	files, text := s.drawFiles(t, 2)
	_, _, err := s.f.UpdateMember(s.f.Context(), h.app, h.id, store.Authority{}, client, s.f.now(), func(_ skein.Conversation, m *skein.Member) error {
		m.Draft = text
		return nil
	})
	expectErr(t, "UpdateMember", err, nil)
	s.name(h.app, h.drafts[client], true, files)
}

// removeMember takes a member out; one who is out comes back.
func (s *fileWorld) removeMember(t *rapid.T) {
	h, client := s.drawFileConv(t), drawTalker(t)
	if s.exts[[2]string{h.app, client}] == nil {
		t.Skip("the client is deleted")
	}
	var err error
	if h.drafts[client] != nil {
		_, err = s.f.RemoveMembers(s.f.Context(), h.app, h.id, store.Authority{}, []string{client}, s.f.now(), 0)
		delete(h.drafts, client)
	} else {
		_, err = s.f.AddMembers(s.f.Context(), h.app, h.id, store.Authority{}, []string{client}, s.f.now(), store.MemberLimit{})
		h.drafts[client] = &saying{}
	}
	expectErr(t, "members", err, nil)
}

func (s *fileWorld) deleteConversation(t *rapid.T) {
	h := s.drawFileConv(t)
	_, err := s.f.DeleteConversation(s.f.Context(), h.app, h.id, store.Authority{})
	expectErr(t, "DeleteConversation", err, nil)
	h.deleted = true
}

func (s *fileWorld) deleteClient(t *rapid.T) {
	app, client := s.drawApp(t), drawTalker(t)
	key := [2]string{app, client}
	if s.exts[key] == nil {
		t.Skip("it is deleted")
	}
	erase := rapid.Bool().Draw(t, "erase")
	_, _, err := s.f.DeleteClient(s.f.Context(), app, client, s.f.now(), erase)
	expectErr(t, "DeleteClient", err, nil)
	delete(s.exts, key)
	for _, h := range s.convs {
		if h.app != app {
			continue
		}
		delete(h.drafts, client)
		for _, p := range h.posts {
			p.erased = p.erased || erase && p.Sender == client
		}
	}
}

func (s *fileWorld) deleteApp(t *rapid.T) {
	if rapid.IntRange(0, 7).Draw(t, "really") > 0 {
		t.Skip("no")
	}
	app := s.drawApp(t)
	expectErr(t, "DeleteApp", s.f.DeleteApp(s.f.Context(), app), nil)
	s.gone[app] = true
	for key := range s.exts {
		if key[0] == app {
			delete(s.exts, key)
		}
	}
}
