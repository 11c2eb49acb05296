package chat

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/skein-im/skein"
)

func seqs(messages []skein.Message) []int64 {
	out := []int64{}
	for _, m := range messages {
		out = append(out, m.Seq)
	}
	return out
}

// count is from, from±1 … to.
func count(from, to int64) []int64 {
	out := []int64{}
	for ; from < to; from++ {
		out = append(out, from)
	}
	for ; from > to; from-- {
		out = append(out, from)
	}
	return append(out, to)
}

func TestPagesAtTheirEdges(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv, empty := f.create(skein.Group, "Tom"), f.create(skein.Group, "Tom")
	f.say(conv, 25)
	for name, tt := range map[string]struct {
		conv  skein.ID
		page  int64
		size  int
		want  []int64
		total int64
	}{
		"the first":          {conv, 1, 10, count(25, 16), 25},
		"the last, not full": {conv, 3, 10, count(5, 1), 25},
		"the last, full":     {conv, 5, 5, count(5, 1), 25},
		"past the end":       {conv, 4, 10, nil, 25},
		"just past the end":  {conv, 6, 5, nil, 25},
		"far past the end":   {conv, 1 << 40, 100, nil, 25},
		"all in one":         {conv, 1, 100, count(25, 1), 25},
		"one a page":         {conv, 25, 1, count(1, 1), 25},
		"nothing was said":   {empty, 1, 10, nil, 0},
	} {
		got, total, err := f.Page(t.Context(), f.backend(), tt.conv, tt.page, tt.size)
		f.must(err)
		if !slices.Equal(seqs(got), tt.want) || total != tt.total {
			t.Errorf("%s: got %v of %d, want %v of %d", name, seqs(got), total, tt.want, tt.total)
		}
	}
}

func TestSpansAtTheirEdges(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv, empty := f.create(skein.Group, "Tom"), f.create(skein.Group, "Tom")
	f.say(conv, 20)
	for name, tt := range map[string]struct {
		conv skein.ID
		r    skein.SeqRange
		want []int64
		more bool
	}{
		"from the start":               {conv, skein.SeqRange{Limit: 5}, count(1, 5), true},
		"up to the newest":             {conv, skein.SeqRange{After: 15, Limit: 5}, count(16, 20), false},
		"one short of the newest":      {conv, skein.SeqRange{After: 14, Limit: 5}, count(15, 19), true},
		"behind the newest":            {conv, skein.SeqRange{After: 20, Limit: 5}, nil, false},
		"far behind":                   {conv, skein.SeqRange{After: 1 << 60, Limit: 5}, nil, false},
		"before one that is not there": {conv, skein.SeqRange{Before: 1 << 60, Limit: 5, Newest: true}, count(20, 16), true},
		"down to the first":            {conv, skein.SeqRange{Before: 6, Limit: 5, Newest: true}, count(5, 1), false},
		"one short of the first":       {conv, skein.SeqRange{Before: 7, Limit: 5, Newest: true}, count(6, 2), true},
		"before the first":             {conv, skein.SeqRange{Before: 1, Limit: 5, Newest: true}, nil, false},
		"of nothing":                   {empty, skein.SeqRange{Limit: 5}, nil, false},
		"of nothing, newest first":     {empty, skein.SeqRange{Before: 9, Limit: 5, Newest: true}, nil, false},
	} {
		got, more, err := f.Span(t.Context(), f.backend(), tt.conv, tt.r)
		f.must(err)
		if !slices.Equal(seqs(got), tt.want) || more != tt.more {
			t.Errorf("%s: got %v, more %v; want %v, more %v", name, seqs(got), more, tt.want, tt.more)
		}
	}
}

func TestOnlyMembersRead(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.create(skein.Group, "Tom", "Jerry")
	f.say(conv, 3)
	first, _, err := f.Span(t.Context(), f.backend(), conv, skein.SeqRange{Limit: 1})
	f.must(err)
	read := func(by skein.Actor, conv skein.ID) []error {
		_, _, page := f.Page(t.Context(), by, conv, 1, 10)
		_, _, span := f.Span(t.Context(), by, conv, skein.SeqRange{Limit: 10})
		_, one := f.Message(t.Context(), by, conv, first[0].ID)
		_, get := f.Conversation(t.Context(), by, conv)
		_, _, who := f.Members(t.Context(), by, conv, skein.MemberQuery{})
		return []error{page, span, one, get, who}
	}
	other := f.app("other", skein.Settings{})
	f.register(other, "Tom")
	for name, tt := range map[string]struct {
		by   skein.Actor
		conv skein.ID
		want error
	}{
		"a member":                            {f.as("Jerry", skein.NeedMember), conv, nil},
		"the backend":                         {f.backend(), conv, nil},
		"no member":                           {f.as("Alex", skein.NeedMember), conv, skein.ErrForbidden},
		"a client of the same name elsewhere": {skein.Actor{App: other, Client: "Tom", Need: skein.NeedMember}, conv, skein.ErrUnknownConversation},
		"another app's backend":               {skein.Actor{App: other}, conv, skein.ErrUnknownConversation},
		"one that is not there":               {f.as("Tom", skein.NeedMember), skein.ID{1}, skein.ErrUnknownConversation},
	} {
		for i, err := range read(tt.by, tt.conv) {
			if tt.want != nil {
				f.wantErr(name, err, tt.want)
			} else if err != nil {
				t.Errorf("%s: read %d: got error %v", name, i, err)
			}
		}
	}
	f.must(f.RemoveMembers(t.Context(), f.backend(), conv, []string{"Jerry"}, nil))
	for _, err := range read(f.as("Jerry", skein.NeedMember), conv) {
		f.wantErr("after it was removed", err, skein.ErrForbidden)
	}
	elsewhere := f.create(skein.Group, "Tom")
	_, err = f.Message(t.Context(), f.as("Tom", skein.NeedMember), elsewhere, first[0].ID)
	f.wantFault("a message of another conversation", err, skein.ErrUnknownMessage, "msg_id")
}

func TestWhatWasSaidBeforeIsHiddenWhereHistoryIsPrivate(t *testing.T) {
	f := newFixture(t, skein.Settings{PrivateHistory: true})
	conv := f.create(skein.Group, "Tom")
	f.say(conv, 10)
	f.must(f.AddMembers(t.Context(), f.backend(), conv, []string{"Jerry"}))
	jerry := f.as("Jerry", skein.NeedMember)

	got, total, err := f.Page(t.Context(), jerry, conv, 1, 10)
	f.must(err)
	wantEqual(f, "before anything was said", []any{seqs(got), total}, []any{[]int64{}, int64(0)})
	f.say(conv, 3)
	got, total, err = f.Page(t.Context(), jerry, conv, 1, 2)
	f.must(err)
	wantEqual(f, "the newest page", []any{seqs(got), total}, []any{count(13, 12), int64(3)})
	got, total, err = f.Page(t.Context(), jerry, conv, 2, 2)
	f.must(err)
	wantEqual(f, "the last page", []any{seqs(got), total}, []any{count(11, 11), int64(3)})
	got, more, err := f.Span(t.Context(), jerry, conv, skein.SeqRange{Limit: 50})
	f.must(err)
	wantEqual(f, "from the start", []any{seqs(got), more}, []any{count(11, 13), false})
	got, more, err = f.Span(t.Context(), jerry, conv, skein.SeqRange{Before: 13, Limit: 2, Newest: true})
	f.must(err)
	wantEqual(f, "down to the floor", []any{seqs(got), more}, []any{count(12, 11), false})
	got, more, err = f.Span(t.Context(), jerry, conv, skein.SeqRange{Before: 11, Limit: 2, Newest: true})
	f.must(err)
	wantEqual(f, "below the floor", []any{seqs(got), more}, []any{[]int64{}, false})

	all, total, err := f.Page(t.Context(), f.backend(), conv, 1, 100)
	f.must(err)
	wantEqual(f, "the backend's total", total, 13)
	_, err = f.Message(t.Context(), jerry, conv, all[2].ID)
	f.must(err)
	_, err = f.Message(t.Context(), jerry, conv, all[3].ID)
	f.wantErr("one message from before", err, skein.ErrUnknownMessage)

	open := *f.shop
	open.Settings.PrivateHistory = false
	jerry.App = &open
	got, total, err = f.Page(t.Context(), jerry, conv, 2, 10)
	f.must(err)
	wantEqual(f, "where it is not private", []any{seqs(got), total}, []any{count(3, 1), int64(13)})
}

// Pages and spans are what cutting a plain list of seqs gives.
func TestPagesAndSpansAreThoseOfAList(t *testing.T) {
	f := newFixture(t, skein.Settings{PrivateHistory: true})
	type talk struct {
		id    skein.ID
		floor int64 // Jerry's
		last  int64
	}
	var talks []talk
	for _, n := range [][2]int{{0, 0}, {0, 1}, {1, 0}, {0, 7}, {3, 10}, {12, 1}, {5, 20}} {
		id := f.create(skein.Group, "Tom")
		f.say(id, n[0])
		f.must(f.AddMembers(t.Context(), f.backend(), id, []string{"Jerry"}))
		f.say(id, n[1])
		talks = append(talks, talk{id, int64(n[0]), int64(n[0] + n[1])})
	}
	rapid.Check(t, func(r *rapid.T) {
		c := rapid.SampledFrom(talks).Draw(r, "conversation")
		by, floor := f.as("Jerry", skein.NeedMember), c.floor
		if rapid.Bool().Draw(r, "backend") {
			by, floor = f.backend(), 0
		}
		var list []int64 // newest first
		for s := c.last; s > floor; s-- {
			list = append(list, s)
		}

		page, size := rapid.Int64Range(1, 12).Draw(r, "page"), rapid.IntRange(1, 12).Draw(r, "size")
		got, total, err := f.Page(t.Context(), by, c.id, page, size)
		from := min(len(list), int(page-1)*size)
		want := list[from:min(len(list), from+size)]
		if err != nil || total != int64(len(list)) || !slices.Equal(seqs(got), want) {
			r.Fatalf("page %d of %d: got %v of %d and error %v, want %v of %d", page, size, seqs(got), total, err, want, len(list))
		}

		span := skein.SeqRange{Limit: size, Newest: rapid.Bool().Draw(r, "newest")}
		if span.Newest {
			span.Before = rapid.Int64Range(1, 30).Draw(r, "before")
		} else {
			span.After = rapid.Int64Range(0, 30).Draw(r, "after")
			slices.Reverse(list)
		}
		rest := slices.DeleteFunc(list, func(s int64) bool {
			return span.Newest && s >= span.Before || !span.Newest && s <= span.After
		})
		want = rest[:min(len(rest), size)]
		got, more, err := f.Span(t.Context(), by, c.id, span)
		if err != nil || !slices.Equal(seqs(got), want) || more != (len(rest) > size) {
			r.Fatalf("span %+v: got %v, more %v and error %v; want %v, more %v", span, seqs(got), more, err, want, len(rest) > size)
		}
	})
}
