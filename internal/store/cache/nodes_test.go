package cache

import (
	"fmt"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/storetest"
)

// What another node wrote is missing for as long as entries are trusted, and no longer.
func TestWhatAnotherNodeWroteIsSeenWithinTheTrust(t *testing.T) {
	p := openPair(t, storetest.Options{}, DefaultBytes)
	here, there, conv := p[0].Store, p[1].Store, newID()
	begin(t, here, conv)
	ctx := t.Context()
	banned := func() bool {
		c, err := here.Client(ctx, "app", "ann")
		if err != nil {
			t.Fatal(err)
		}
		return c.BannedUntil != 0
	}
	for name, tt := range map[string]struct {
		seen  func() bool
		write func() error
	}{
		"a ban": {banned, func() error {
			_, err := there.UpdateClient(ctx, "app", "ann", func(c *skein.Client) error {
				c.BannedUntil = skein.Forever
				return nil
			})
			return err
		}},
	} {
		p[0].clock.Add(int64(time.Hour))
		if tt.seen() {
			t.Fatalf("%s is there before it was written", name)
		}
		if err := tt.write(); err != nil {
			t.Fatal(err)
		}
		p[0].clock.Add(int64(trust - 1))
		if tt.seen() {
			t.Errorf("%s is seen at once: memory did not answer, so this test shows nothing", name)
		}
		p[0].clock.Add(1)
		if !tt.seen() {
			t.Errorf("%s is not seen %v after it was written", name, trust)
		}
	}
}

func TestAnAudienceIsAsNewAsTheEventSays(t *testing.T) {
	p := openPair(t, storetest.Options{}, DefaultBytes)
	here, there, conv := p[0].Store, p[1].Store, newID()
	begin(t, here, conv)
	audience := func(atLeast int64) (int, int64) {
		all, rev, err := here.Audience(t.Context(), "app", conv, atLeast)
		if err != nil {
			t.Fatal(err)
		}
		return len(all), rev
	}
	_, before := audience(0)
	if _, err := there.AddMembers(t.Context(), "app", conv, store.Authority{}, []string{"bob"}, 1, store.MemberLimit{}); err != nil {
		t.Fatal(err)
	}
	if n, rev := audience(before); n != 1 || rev != before {
		t.Errorf("of the revision before: got %d members of revision %d, want 1 of %d, from memory", n, rev, before)
	}
	n, now := audience(before + 1)
	if n != 2 || now <= before {
		t.Errorf("of the revision of the event: got %d members of revision %d, want 2 of more than %d", n, now, before)
	}
	p[0].clock.Add(int64(time.Hour))
	hits := here.hits.Load()
	if n, _ := audience(now); n != 2 || here.hits.Load() == hits {
		t.Errorf("an old list of that revision: got %d members, %d hits, want 2 from memory", n, here.hits.Load()-hits)
	}
}

func TestWhatAMemberMayReadIsNeverOld(t *testing.T) {
	p := openPair(t, storetest.Options{}, DefaultBytes)
	here, there, conv := p[0].Store, p[1].Store, newID()
	begin(t, here, conv)
	ctx := t.Context()
	state := func() string {
		c, m, err := here.Conversation(ctx, "app", conv, "bob")
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint("mute ", c.MuteAll, ", member ", m != nil)
	}
	for _, tt := range []struct {
		write func() error
		want  string
	}{
		{func() error { return nil }, "mute false, member false"},
		{func() error {
			_, err := there.AddMembers(ctx, "app", conv, store.Authority{}, []string{"bob"}, 1, store.MemberLimit{})
			return err
		}, "mute false, member true"},
		{func() error {
			_, err := there.UpdateConversation(ctx, "app", conv, store.Authority{}, func(c *skein.Conversation) error {
				c.MuteAll = true
				return nil
			})
			return err
		}, "mute true, member true"},
		{func() error {
			_, err := there.RemoveMembers(ctx, "app", conv, store.Authority{}, []string{"bob"}, 2, 0)
			return err
		}, "mute true, member false"},
	} {
		if err := tt.write(); err != nil {
			t.Fatal(err)
		}
		if got := state(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestMessagesOfAnotherNodeAreNeverMissing(t *testing.T) {
	p := openPair(t, storetest.Options{}, DefaultBytes)
	here, there, conv := p[1].Store, p[0].Store, newID() // the hook of the first alone is called
	begin(t, here, conv)
	for want := 1; want <= 3; want++ {
		if _, _, err := here.Conversation(t.Context(), "app", conv, ""); err != nil {
			t.Fatal(err)
		}
		if err := say(t.Context(), there, conv); err != nil {
			t.Fatal(err)
		}
		got, err := here.Messages(t.Context(), "app", conv, skein.SeqRange{Limit: 10, Newest: true})
		if err != nil || len(got) != want {
			t.Errorf("got %d messages, %v, want %d", len(got), err, want)
		}
	}
}

// A node that hears of a cut forgets the client, so that who logs in is judged by it.
func TestAClientThatIsForgottenIsReadAnew(t *testing.T) {
	p := openPair(t, storetest.Options{}, DefaultBytes)
	here, there := p[0].Store, p[1].Store
	begin(t, here, newID())
	rev := func() int64 {
		c, err := here.Client(t.Context(), "app", "ann")
		if err != nil {
			t.Fatal(err)
		}
		return c.Rev
	}
	before := rev()
	_, err := there.UpdateClient(t.Context(), "app", "ann", func(c *skein.Client) error {
		c.BannedUntil = skein.Forever
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	here.Forget("app", "ann")
	if got := rev(); got <= before {
		t.Errorf("rev %d after the ban, want more than %d", got, before)
	}
}

// They answer whoever names their revision. They are no answer for others: this node may have changed
// the members since, and forgotten the list.
func TestTheMembersThatComeWithAMessageAreRemembered(t *testing.T) {
	p := openPair(t, storetest.Options{}, DefaultBytes)
	here, conv := p[0].Store, newID()
	begin(t, here, conv)
	const rev = 1000 // no revision of the engine is as great
	m := skein.Committed{Message: skein.Message{Conv: conv, Seq: 1}, App: "app", RosterRev: rev, Members: []skein.Listener{skein.NewListener("cat", 1)}}
	audience := func() string {
		all, got, err := here.Audience(t.Context(), "app", conv, rev)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%d, cat %v, of that revision %v", len(all), len(all) == 1 && all[0].Client == "cat", got == rev)
	}
	here.commit([]skein.Committed{m})
	misses := here.misses.Load()
	if got, want := audience(), "1, cat true, of that revision true"; got != want || here.misses.Load() != misses {
		t.Errorf("got %s and %d reads of the engine, want %s and none", got, here.misses.Load()-misses, want)
	}
	older := m
	older.RosterRev, older.Members = 1, []skein.Listener{skein.NewListener("dan", 1)}
	here.commit([]skein.Committed{older})
	if got, want := audience(), "1, cat true, of that revision true"; got != want {
		t.Errorf("after a message of an older revision: got %s, want %s", got, want)
	}
	all, got, err := here.Audience(t.Context(), "app", conv, 0)
	if err != nil || got == rev || len(all) != 1 || all[0].Client != "ann" {
		t.Errorf("for a caller who names no revision: got %v of %d, %v; want what the engine has", all, got, err)
	}
	over := here.conversations.write(convKey{"app", conv}, (*convEntry).forgetRoster)
	here.commit([]skein.Committed{m})
	over()
	if got := audience(); got == "1, cat true, of that revision true" {
		t.Errorf("after a change of the members: got the list from before")
	}
}
