package e2e

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
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

// SPEC 8.3: whoever follows the cursor learns of all that happened, and of nothing
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

func TestSyncComesInPages(t *testing.T) {
	t.Parallel()
	a := dev(t)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	var all []string
	for range 9 {
		all = append(all, a.group(t, jerry, tom))
	}
	s := a.syncer(tom, 2)
	var changed []string
	for i := 0; ; i++ {
		if i > 100 {
			t.Fatal("sync does not come to an end")
		}
		p := s.page(t)
		for _, v := range p.Conversations {
			s.views[v.ConvID] = v
			changed = append(changed, v.ConvID)
		}
		for _, id := range p.Deleted {
			delete(s.views, id)
		}
		s.cursor = p.NextCursor
		if p.Done {
			break
		}
		switch i { // between two pages the world goes on
		case 0:
			a.send(t, all[0], jerry, "early")
		case 1:
			a.send(t, all[8], jerry, "late")
			all = append(all, a.group(t, jerry, tom))
		case 2:
			a.must(t, "DELETE", convPath(all[1]), nil)
		}
	}
	if s.calls < 4 {
		t.Errorf("nine conversations two at a time took %d calls", s.calls)
	}
	s.follow(t)
	s.agree(t, "after all pages and once more")
	if len(slices.Compact(slices.Sorted(slices.Values(changed)))) < 8 {
		t.Errorf("got only %v", changed)
	}
	for what, limit := range map[string]int{"one at a time": 1, "three": 3, "all": 200} {
		again := a.syncer(tom, limit)
		again.follow(t)
		if !maps.EqualFunc(again.views, s.views, func(x, y view) bool { return jsonOf(x) == jsonOf(y) }) {
			t.Errorf("%s: got %v, want %v", what, again.views, s.views)
		}
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

func TestACursorIsGoodForItsClientAlone(t *testing.T) {
	t.Parallel()
	a := strict(t)
	b := createApp(t, a.s)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	b.must(t, "POST", "/im/users", obj{"client_id": tom})
	conv := a.group(t, jerry, tom)
	mine := a.syncer(tom, 100)
	mine.follow(t)
	a.send(t, conv, jerry, "hi")
	cursor := "?cursor=" + url.QueryEscape(mine.cursor)
	a.call(t, "GET", userPath(jerry, "sync"+cursor), nil).want(t, "another client's", 4406)
	b.call(t, "GET", userPath(tom, "sync"+cursor), nil).want(t, "another app's", 4406)
	c := a.login(t, tom, "d")
	c.ask(t, "sync", obj{"client_id": jerry}).want(t, "another's sync", 4004)
	var p syncPage
	c.ask(t, "sync", obj{"cursor": mine.cursor}).want(t, "sync by socket", 0).into(t, &p)
	if len(p.Conversations) != 1 || p.Conversations[0].Unread != 1 || !p.Done {
		t.Errorf("sync by socket: got %+v", p)
	}
	listed := a.must(t, "GET", userPath(tom, "conversations?size=1"), nil)
	if listed.field("next_cursor") != nil {
		t.Fatalf("one conversation has a second page: %s", listed)
	}
	raw, err := base64.RawURLEncoding.DecodeString(mine.cursor)
	if err != nil {
		t.Fatal(err)
	}
	a.group(t, jerry, tom)
	page := a.must(t, "GET", userPath(tom, "conversations?size=1"), nil).text("next_cursor")
	for what, cursor := range map[string]string{
		"no base64": "!!!", "nothing of ours": "AAAA", "a page's cursor": page, "cut short": mine.cursor[:len(mine.cursor)-4],
		"longer": base64.RawURLEncoding.EncodeToString(append(raw, 0)), "SQL": "' OR 1=1 --", "very long": strings.Repeat("A", 5000),
	} {
		got := a.call(t, "GET", userPath(tom, "sync?cursor="+url.QueryEscape(cursor)), nil).want(t, what, 4406)
		if !strings.Contains(got.Message, "cursor") {
			t.Errorf("%s: %s does not name the cursor", what, got)
		}
	}
	// A cursor of another history, as an earlier version wrote them: the client begins
	// anew and has everything.
	foreign := a.syncer(tom, 100)
	foreign.cursor = base64.RawURLEncoding.EncodeToString(append(make([]byte, 31), 7))
	if p = foreign.page(t); !p.ResetRequired || len(p.Conversations)+len(p.Deleted) > 0 {
		t.Errorf("an earlier cursor: got %+v, want a reset", p)
	}
	foreign.cursor = p.NextCursor
	foreign.follow(t)
	foreign.agree(t, "after the reset")
}
