package storetest

import (
	"time"

	"pgregory.net/rapid"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

func (s *fileWorld) send(t *rapid.T) {
	h := s.drawFileConv(t)
	sender := h.drawMember(t)
	p := &post{says: &saying{}}
	d := s.f.draft(h.app, h.id, sender, "")
	var texts, attrs []int
	p.urlFiles, d.URL = s.drawFiles(t, 1)
	texts, d.Text = s.drawFiles(t, 2)
	var attr string
	attrs, attr = s.drawFiles(t, 2)
	d.Attr = []byte(`"` + attr + `"`)
	m, _, err := s.f.Append(s.f.Context(), d)
	expectErr(t, "Append", err, nil)
	p.Message = m
	s.name(h.app, p.says, false, p.urlFiles, texts, attrs)
	h.posts = append(h.posts, p)
	if h.expires != 0 {
		h.expires = s.f.now().Add(7 * time.Hour)
	}
}

// drawPost draws a message that is not blank.
func (s *fileWorld) drawPost(t *rapid.T) (*fileConv, *post) {
	h := s.drawFileConv(t)
	if len(h.posts) == 0 {
		t.Skip("no message")
	}
	p := h.posts[rapid.IntRange(0, len(h.posts)-1).Draw(t, "message")]
	if p.says == nil || p.erased {
		t.Skip("it is blank")
	}
	return h, p
}

func (s *fileWorld) change(t *rapid.T, h *fileConv, p *post, by string, c skein.Change) {
	_, err := s.f.ChangeMessage(s.f.Context(), h.app, h.id, p.ID, store.Needs(by, skein.NeedClient), "", makes(c))
	expectErr(t, "ChangeMessage", err, nil)
}

func (s *fileWorld) edit(t *rapid.T) {
	h, p := s.drawPost(t)
	files, text := s.drawFiles(t, 3)
	s.change(t, h, p, "", edit(text))
	s.name(h.app, p.says, false, p.urlFiles, files)
}

func (s *fileWorld) recall(t *rapid.T) {
	h, p := s.drawPost(t)
	s.change(t, h, p, "", recall)
	p.says = nil
}

func (s *fileWorld) hide(t *rapid.T) {
	h, p := s.drawPost(t)
	s.change(t, h, p, h.drawMember(t), hide)
}
