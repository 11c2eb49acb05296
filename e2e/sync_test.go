package e2e

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
)

// syncPage is one answer of sync.
type syncPage struct {
	Conversations []view   `json:"conversations"`
	Deleted       []string `json:"deleted"`
	NextCursor    string   `json:"next_cursor"`
	Done          bool     `json:"done"`
	ResetRequired bool     `json:"reset_required"`
	Epoch         int64    `json:"epoch"`
}

// synced is what a client knows that follows the protocol: its conversations, and
// where to go on.
type synced struct {
	a      *app
	client string
	limit  int
	cursor string
	views  map[string]view
	calls  int
}

func (a *app) syncer(client string, limit int) *synced {
	return &synced{a: a, client: client, limit: limit, views: map[string]view{}}
}

// page is the next answer.
func (s *synced) page(t *testing.T) syncPage {
	t.Helper()
	var p syncPage
	path := fmt.Sprintf("%s?limit=%d&cursor=%s", userPath(s.client, "sync"), s.limit, url.QueryEscape(s.cursor))
	s.a.must(t, "GET", path, nil).into(t, &p)
	s.calls++
	if p.NextCursor == "" || len(p.Conversations) > s.limit || p.Epoch == 0 {
		t.Errorf("sync: got %+v", p)
	}
	return p
}

// follow asks until done and answers the ids that came, sorted: those of
// conversations, and those that are gone.
func (s *synced) follow(t *testing.T) (changed, deleted []string) {
	t.Helper()
	for range 100 {
		p := s.page(t)
		if p.ResetRequired {
			t.Fatalf("sync asks for a reset: %+v", p)
		}
		for _, v := range p.Conversations {
			s.views[v.ConvID] = v
			changed = append(changed, v.ConvID)
		}
		for _, id := range p.Deleted {
			delete(s.views, id)
			deleted = append(deleted, id)
		}
		s.cursor = p.NextCursor
		if p.Done {
			slices.Sort(changed)
			slices.Sort(deleted)
			return slices.Compact(changed), slices.Compact(deleted)
		}
	}
	t.Fatal("sync does not come to an end")
	return nil, nil
}

// want follows and holds what came against what should have.
func (s *synced) want(t *testing.T, what string, changed, deleted []string) {
	t.Helper()
	gotChanged, gotDeleted := s.follow(t)
	changed, deleted = slices.Sorted(slices.Values(changed)), slices.Sorted(slices.Values(deleted))
	if !slices.Equal(gotChanged, changed) || !slices.Equal(gotDeleted, deleted) {
		t.Errorf("%s:\ngot  changed %v deleted %v\nwant changed %v deleted %v", what, gotChanged, gotDeleted, changed, deleted)
	}
	s.agree(t, what)
}

// agree holds what the client knows against its list.
func (s *synced) agree(t *testing.T, what string) {
	t.Helper()
	there := map[string]view{}
	for _, v := range slices.Concat(s.a.inbox(t, s.client), s.a.inbox(t, s.client, "archived=1")) {
		there[v.ConvID] = v
	}
	if got, want := jsonOf(s.views), jsonOf(there); got != want {
		t.Errorf("%s: sync and conv.list of %s differ\nsync %s\nlist %s", what, s.client, got, want)
	}
}

// Whoever follows the cursor learns of all that happened, and of nothing
// else.
func TestSyncTellsWhatHasChanged(t *testing.T) {
	t.Parallel()
	a := dev(t)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	s := a.syncer(tom, 100)
	s.want(t, "nothing yet", nil, nil)
	var c []string
	for i := range 6 {
		c = append(c, a.group(t, jerry, tom))
		a.send(t, c[i], jerry, "hi")
	}
	s.want(t, "from the beginning", c, nil)
	s.want(t, "nothing since", nil, nil)
	msg := a.send(t, c[0], jerry, "more").text("msg_id")
	s.want(t, "a message", c[:1], nil)
	for _, step := range []struct {
		what   string
		change func()
	}{
		{"an edit", func() { a.must(t, "PUT", convPath(c[0], "message", msg), obj{"text": "better"}) }},
		{"a recall", func() { a.must(t, "POST", convPath(c[0], "message", msg, "recall"), nil) }},
		{"one's own read", func() { a.read(t, tom, c[0], nil) }},
		{"one's own mark", func() { a.mark(t, tom, c[0], obj{"draft": "so"}) }},
		{"the extension", func() {
			a.must(t, "PUT", "/im/conversations", obj{"where": [][]any{{"conv_id", c[0]}}, "update": obj{"conv_extend": 1}})
		}},
		{"who is a member", func() { a.must(t, "POST", convPath(c[0], "members"), obj{"client_ids": []string{a.user(t, "new")}}) }},
		{"one's own role", func() { a.must(t, "PUT", convPath(c[0], "members", tom), obj{"role": "admin"}) }},
		{"silence for all", func() { a.must(t, "POST", convPath(c[0], "mute"), obj{}) }},
		{"one's own nickname", func() { a.must(t, "PUT", convPath(c[0], "members", tom), obj{"nickname": "T"}) }},
	} {
		step.change()
		s.want(t, step.what, c[:1], nil)
	}
	a.must(t, "DELETE", convPath(c[1]), nil)
	a.must(t, "DELETE", convPath(c[2], "members"), obj{"client_ids": []string{tom}})
	a.must(t, "POST", convPath(c[3], "leave"), obj{"client_id": tom})
	a.send(t, c[4], jerry, "x")
	s.want(t, "deleted, removed, left", c[4:5], c[1:4])
	a.send(t, c[2], jerry, "without Tom")
	s.want(t, "what is another's now", nil, nil)
	a.must(t, "POST", convPath(c[2], "members"), obj{"client_ids": []string{tom}})
	s.want(t, "back", c[2:3], nil)
	if v := s.views[c[2]]; v.LastSeq != 2 || v.Unread != 0 || v.JoinSeq != 3 {
		t.Errorf("back: got %+v", v)
	}
}

// Away while everything happens, the client comes to the same end as one that was
// there.
func TestWhoWasAwayComesToTheSameEnd(t *testing.T) {
	t.Parallel()
	a := dev(t)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	var c []string
	for range 5 {
		c = append(c, a.group(t, jerry, tom))
	}
	away, there := a.syncer(tom, 2), a.syncer(tom, 100)
	away.follow(t)
	for round := range 3 {
		for i, conv := range c {
			if i == 1 && round > 0 {
				continue
			}
			a.send(t, conv, jerry, fmt.Sprint("round ", round))
			if i == 2 {
				a.must(t, "DELETE", convPath(conv, "members"), obj{"client_ids": []string{tom}})
				a.must(t, "POST", convPath(conv, "members"), obj{"client_ids": []string{tom}})
			}
			if i == 3 {
				a.mark(t, tom, conv, obj{"clear_to_seq": round, "archive": round % 2})
			}
		}
		if round == 0 {
			a.must(t, "DELETE", convPath(c[1]), nil)
		}
		there.follow(t)
	}
	away.follow(t)
	away.agree(t, "away")
	there.agree(t, "there")
}
