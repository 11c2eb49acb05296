package chat

import (
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

func TestPositionsMoveForwardOnlyAndTellWhenTheyDo(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.create(skein.Group, "Tom", "Jerry")
	f.say(conv, 5)
	f.wantTold("before", `conv.created by "" [] also [] audience members`)
	jerry := f.as("Jerry", skein.NeedMember)
	told := func(read, received int) string {
		return fmt.Sprintf(`conv.read by "Jerry" [] also [] audience members [{Jerry %d %d}]`, read, received)
	}
	for _, step := range []struct {
		received bool
		seq      *int64
		want     string // read, received, unread
		told     []string
	}{
		{true, new(int64(3)), "0 3 5", []string{told(0, 3)}},
		{true, new(int64(1)), "0 3 5", nil},
		{false, new(int64(2)), "2 3 3", []string{told(2, 3)}},
		{false, new(int64(2)), "2 3 3", nil},
		{false, new(int64(0)), "2 3 3", nil},
		{false, new(int64(4)), "4 4 1", []string{told(4, 4)}},
		{true, nil, "4 5 1", []string{told(4, 5)}},
		{false, new(int64(1 << 60)), "5 5 0", []string{told(5, 5)}},
		{false, nil, "5 5 0", nil},
	} {
		move := f.Read
		if step.received {
			move = f.Received
		}
		v, err := move(t.Context(), jerry, conv, "Jerry", step.seq)
		f.must(err)
		what := fmt.Sprintf("received %v to %v", step.received, step.seq)
		wantEqual(f, what, fmt.Sprint(v.Member.Read(), v.Member.Received(), v.Unread()), step.want)
		f.wantTold(what, step.told...)
	}
}

// crowd is a conversation of Tom and others, n in all.
func (f *fixture) crowd(t skein.ConvType, n int) skein.ID {
	f.Helper()
	c := skein.Conversation{App: "shop", ID: skein.ID(uuid.New()), Type: t, Created: f.now(), Active: f.now()}
	members := []skein.Member{{Client: "Tom", Role: skein.RoleOwner}}
	var clients []skein.Client
	for i := 1; i < n; i++ {
		id := fmt.Sprint("crowd", i)
		clients = append(clients, skein.Client{ID: id})
		members = append(members, skein.Member{Client: id})
	}
	_, err := f.store.CreateClients(f.Context(), "shop", clients)
	f.must(err)
	_, _, err = f.store.CreateConversation(f.Context(), c, members, store.MemberLimit{})
	f.must(err)
	f.send(c.ID, "crowd1", "hi")
	return c.ID
}

func TestWhoIsToldWhatOneHasRead(t *testing.T) {
	const own, all = `conv.read by "Tom" [] also [] audience [Tom] [{Tom 1 1}]`, `conv.read by "Tom" [] also [] audience members [{Tom 1 1}]`
	f := newFixture(t, skein.Settings{})
	for name, tt := range map[string]struct {
		typ     skein.ConvType
		members int
		want    []string
	}{
		"a group of 200":   {skein.Group, 200, []string{all}},
		"a group of 201":   {skein.Group, 201, []string{own, all + " gathered but for Tom"}},
		"a group of 2,000": {skein.Group, 2000, []string{own, all + " gathered but for Tom"}},
		"a group of 2,001": {skein.Group, 2001, []string{own}},
		"a room of 2":      {skein.Room, 2, []string{own}},
	} {
		conv := f.crowd(tt.typ, tt.members)
		f.told = nil
		_, err := f.Read(t.Context(), f.as("Tom", skein.NeedMember), conv, "Tom", nil)
		f.must(err)
		f.wantTold(name, tt.want...)
	}
}

func TestTheSessionThatReadsIsNotTold(t *testing.T) {
	const read = `conv.read by "Tom" [] also [] audience %s [{Tom 1 1}]%s`
	f := newFixture(t, skein.Settings{})
	for members, want := range map[int][]string{
		200: {fmt.Sprintf(read, "members", " not to here")},
		201: {fmt.Sprintf(read, "[Tom]", " not to here"), fmt.Sprintf(read, "members", " gathered but for Tom")},
	} {
		conv := f.crowd(skein.Group, members)
		f.told = nil
		by := f.as("Tom", skein.NeedMember)
		by.Session = "here"
		_, err := f.Read(t.Context(), by, conv, "Tom", nil)
		f.must(err)
		f.wantTold(fmt.Sprint(members, " members"), want...)
	}
}

func TestWhatIsOnlyReceivedIsGatheredInGroups(t *testing.T) {
	const own, all = `conv.read by "Tom" [] also [] audience [Tom] [{Tom 0 1}]`, `conv.read by "Tom" [] also [] audience members [{Tom 0 1}]`
	f := newFixture(t, skein.Settings{})
	for members, want := range map[int][]string{2: {all}, 3: {own, all + " gathered but for Tom"}} {
		conv := f.crowd(skein.Group, members)
		f.told = nil
		_, err := f.Received(t.Context(), f.as("Tom", skein.NeedMember), conv, "Tom", nil)
		f.must(err)
		f.wantTold(fmt.Sprint(members, " members"), want...)
	}
}

func TestWhoIsToldThatOneTypes(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	const typing = `typing by "Tom" [] also [] audience members except "Tom" on`
	for name, tt := range map[string]struct {
		typ     skein.ConvType
		members int
		want    []string
	}{
		"a pair":         {skein.Private, 2, []string{typing + " true", typing + " false"}},
		"a group of 200": {skein.Group, 200, []string{typing + " true", typing + " false"}},
		"a group of 201": {skein.Group, 201, nil},
		"a room":         {skein.Room, 2, nil},
	} {
		conv := f.crowd(tt.typ, tt.members)
		f.told = nil
		f.must(f.Typing(t.Context(), f.as("Tom", skein.NeedMember), conv, true))
		f.must(f.Typing(t.Context(), f.as("Tom", skein.NeedMember), conv, false))
		f.wantTold(name, tt.want...)
		for _, on := range []bool{true, false} {
			f.wantErr(name+", who is none of them", f.Typing(t.Context(), f.as("Iron", skein.NeedMember), conv, on), skein.ErrForbidden)
		}
		f.wantTold(name + ", who is none of them")
	}
}

func TestReadersAreThoseWhoWereThere(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.create(skein.Group, "Tom", "Jerry", "Alex")
	readers := func(by string, seq *int64, q skein.MemberQuery) string {
		t.Helper()
		actor := f.backend()
		if by != "" {
			actor = f.as(by, skein.NeedMember)
		}
		r, err := f.Readers(t.Context(), actor, conv, seq, q)
		f.must(err)
		text := fmt.Sprintf("seq %d: %d members %d received %d read:", r.Seq, r.Members, r.Received, r.Readers.Read)
		for _, m := range r.Page.Members {
			text += fmt.Sprintf(" %s %d/%d", m.Client, m.Read(), m.Received())
		}
		if !r.Page.Next.IsZero() {
			text += " more"
		}
		return text
	}
	all := skein.MemberQuery{Limit: 10}
	wantEqual(f, "nothing said", readers("Tom", nil, all), "seq 0: 0 members 0 received 0 read:")
	f.say(conv, 2) // Tom's
	f.must(f.AddMembers(t.Context(), f.backend(), conv, []string{"Iron"}))
	f.say(conv, 1)
	_, err := f.Read(t.Context(), f.backend(), conv, "Jerry", new(int64(2)))
	f.must(err)
	_, err = f.Received(t.Context(), f.backend(), conv, "Alex", nil)
	f.must(err)
	wantEqual(f, "of the newest", readers("Alex", nil, all), "seq 3: 4 members 2 received 1 read: Tom 3/3 Jerry 2/2 Alex 0/3 Iron 2/2")
	wantEqual(f, "of one from before the last joined", readers("Iron", new(int64(2)), all), "seq 2: 3 members 3 received 2 read: Tom 3/3 Jerry 2/2 Alex 0/3")
	wantEqual(f, "a page that ends before who joined later", readers("", new(int64(2)), skein.MemberQuery{Limit: 2}), "seq 2: 3 members 3 received 2 read: Tom 3/3 Jerry 2/2 more")
	wantEqual(f, "the page with who joined later", readers("", new(int64(2)), skein.MemberQuery{Offset: 2, Limit: 2}), "seq 2: 3 members 3 received 2 read: Alex 0/3")
	wantEqual(f, "past the end", readers("", new(int64(2)), skein.MemberQuery{Offset: 3, Limit: 2}), "seq 2: 3 members 3 received 2 read:")

	_, err = f.Readers(t.Context(), f.backend(), conv, new(int64(4)), all)
	f.wantFault("what is not said yet", err, skein.ErrUnknownMessage, "seq")
	_, err = f.Mark(t.Context(), f.backend(), conv, "Iron", Mark{ClearTo: new(int64(2))})
	f.must(err)
	_, err = f.Readers(t.Context(), f.as("Iron", skein.NeedMember), conv, new(int64(2)), all)
	f.wantFault("what the caller cleared", err, skein.ErrUnknownMessage, "seq")
	_, err = f.Readers(t.Context(), f.as("Nobody", skein.NeedMember), conv, nil, all)
	f.wantErr("who is no member", err, skein.ErrForbidden)
}
