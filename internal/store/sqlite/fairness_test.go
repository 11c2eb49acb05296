package sqlite

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

func TestWhatThereWasNoTimeForKeepsItsPlace(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := newStore(t, Options{groupBudget: 1, Registerer: registry})
	conv := newGroup(t, s)
	drafts := make([]skein.Draft, 50)
	for i := range drafts {
		drafts[i] = newDraft(conv, fmt.Sprint(i))
	}
	release := holdWriter(t, s)
	var all sync.WaitGroup
	all.Go(func() {
		answers, err := s.AppendAll(t.Context(), drafts)
		for i, a := range answers {
			if a.Err != nil || a.Message.Seq != int64(i+1) {
				t.Errorf("draft %d: got seq %d, %v, want %d", i, a.Message.Seq, a.Err, i+1)
			}
		}
		if err != nil {
			t.Error(err)
		}
	})
	waitQueued(t, s, len(drafts))
	release()
	all.Wait()
	wantDense(t, s, conv, len(drafts))
	if most := mostJobs(t, registry); most > 1 {
		t.Errorf("got a commit of %v jobs after its time was up with the first, want 1", most)
	}
}

// mostJobs is about the largest number of jobs in a commit: the bound of the highest bucket of
// the histogram that is not empty.
func mostJobs(t *testing.T, registry *prometheus.Registry) (most float64) {
	t.Helper()
	below := uint64(0)
	for _, b := range commitJobs(t, registry).GetBucket() {
		if b.GetCumulativeCount() > below {
			below, most = b.GetCumulativeCount(), b.GetUpperBound()
		}
	}
	return most
}

// jobsRun is how many jobs the writer has run.
func jobsRun(t *testing.T, registry *prometheus.Registry) int {
	t.Helper()
	return int(commitJobs(t, registry).GetSampleSum())
}

func commitJobs(t *testing.T, registry *prometheus.Registry) *dto.Histogram {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "skein_store_commit_jobs" {
			return f.GetMetric()[0].GetHistogram()
		}
	}
	t.Fatal("no such metric")
	return nil
}

// newTenant creates an app with n clients and a group of them.
func newTenant(t *testing.T, s *Store, app string, n int) (conv skein.ID, members []skein.Member) {
	t.Helper()
	if err := s.CreateApp(t.Context(), skein.App{ID: app}); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		c := skein.Client{App: app, ID: fmt.Sprintf("%s-%d", app, i)}
		if _, _, err := s.CreateClient(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		members = append(members, skein.Member{Client: c.ID})
	}
	c := skein.Conversation{App: app, ID: skein.ID(uuid.New()), Type: skein.Group, Created: 1}
	if _, _, err := s.CreateConversation(t.Context(), c, members, store.MemberLimit{}); err != nil {
		t.Fatal(err)
	}
	return c.ID, members
}

func tenantDraft(app string, conv skein.ID) skein.Draft {
	d := newDraft(conv, "hi")
	d.App, d.Sender = app, app+"-0"
	return d
}

// One app has hundreds of expensive writes of each kind in the queue. Another app's messages
// wait for few of them, not for all.
func TestAFloodOfCostlyWritesLetsAnotherAppThrough(t *testing.T) {
	for name, tt := range map[string]struct {
		each  func(s *Store, conv skein.ID, members []skein.Member) error
		calls int
	}{
		"groups of 200": {calls: 60, each: func(s *Store, _ skein.ID, members []skein.Member) error {
			c := skein.Conversation{App: "flood", ID: skein.ID(uuid.New()), Type: skein.Group, Created: 1}
			_, _, err := s.CreateConversation(t.Context(), c, members, store.MemberLimit{})
			return err
		}},
		"extends of 16 KB": {calls: 1000, each: func(s *Store, conv skein.ID, _ []skein.Member) error {
			_, err := s.UpdateConversation(t.Context(), "flood", conv, store.Authority{}, func(c *skein.Conversation) error {
				c.Extend = []byte(`{"x":"` + uuid.NewString() + strings.Repeat("x", 16_000) + `"}`)
				return nil
			})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, Options{})
			theirs, members := newTenant(t, s, "flood", 200)
			ours, _ := newTenant(t, s, "quiet", 1)
			release := holdWriter(t, s)
			var all sync.WaitGroup
			var done atomic.Int64
			for range tt.calls {
				all.Go(func() {
					if err := tt.each(s, theirs, members); err != nil {
						t.Error(err)
					}
					done.Add(1)
				})
			}
			waitQueued(t, s, tt.calls)
			all.Go(func() {
				drafts := make([]skein.Draft, 20)
				for i := range drafts {
					drafts[i] = tenantDraft("quiet", ours)
				}
				if _, err := s.AppendAll(t.Context(), drafts); err != nil {
					t.Error(err)
				}
				if n := done.Load(); n > int64(tt.calls)/2 {
					t.Errorf("%d of the other app's %d calls came before 20 messages", n, tt.calls)
				}
			})
			waitQueued(t, s, tt.calls+20)
			release()
			all.Wait()
		})
	}
}

// An app that fills its part of the queue is refused, other apps are not.
func TestAFloodIsRefusedAlone(t *testing.T) {
	for name, opt := range map[string]Options{
		"by jobs":  {QueueJobs: 32},
		"by bytes": {QueueBytes: 32 * draftBytes},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, opt)
			floods := []string{"flood1", "flood2", "flood3"}
			convs := make(map[string]skein.ID)
			for _, app := range append(floods, "quiet") {
				convs[app], _ = newTenant(t, s, app, 1)
			}
			release := holdWriter(t, s)
			var all sync.WaitGroup
			waiting := 0
			for _, app := range floods {
				for refused := false; !refused; {
					// A call that the queue accepts waits for the writer, so it does not return.
					answered := make(chan error, 1)
					all.Go(func() {
						_, _, err := s.Append(t.Context(), tenantDraft(app, convs[app]))
						answered <- err
					})
					for s.db.Engine().Queued() == waiting && !refused {
						select {
						case err := <-answered:
							if refused = errors.Is(err, skein.ErrUnavailable); !refused {
								t.Fatalf("app %s: got %v", app, err)
							}
						default:
						}
					}
					if !refused {
						waiting++
					}
				}
			}
			all.Go(func() {
				for range 3 {
					if _, _, err := s.Append(t.Context(), tenantDraft("quiet", convs["quiet"])); err != nil {
						t.Errorf("the quiet app: %v", err)
					}
				}
			})
			waitQueued(t, s, waiting+1)
			release()
			all.Wait()
		})
	}
}

// An update of many conversations is many jobs of the writer, so that jobs of other apps can run
// between them.
func TestALargeUpdateIsManyCommits(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := newStore(t, Options{Registerer: registry})
	const groups = 60
	newWide(t, s, groups)
	before := jobsRun(t, registry)
	extend := []byte(`{"x":"` + strings.Repeat("x", 16_000) + `"}`)
	ids, err := s.UpdateConversations(t.Context(), "app", store.Authority{}, wideQuery().Where, extend, 9)
	if err != nil || len(ids) != groups {
		t.Fatalf("got %d conversations, %v, want %d", len(ids), err, groups)
	}
	if jobs := jobsRun(t, registry) - before; jobs < 4 {
		t.Errorf("got %d jobs for %d extends of %d bytes, want at least 4", jobs, groups, len(extend))
	}
}

// A link in an extend costs each conversation a row, although it has only 50 bytes.
func TestAnUpdateWithManyLinksIsManyCommits(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := newStore(t, Options{Registerer: registry})
	const groups, links = 60, 100
	newWide(t, s, groups)
	var extend strings.Builder
	for i := range links {
		fmt.Fprintf(&extend, `,"http://x%s%032x.png"`, skein.UploadsPath, i)
	}
	before := jobsRun(t, registry)
	ids, err := s.UpdateConversations(t.Context(), "app", store.Authority{}, wideQuery().Where, []byte(`{"x":[`+extend.String()[1:]+`]}`), 9)
	if err != nil || len(ids) != groups {
		t.Fatalf("got %d conversations, %v, want %d", len(ids), err, groups)
	}
	if jobs := jobsRun(t, registry) - before; jobs < groups/2 {
		t.Errorf("got %d jobs for %d conversations with %d links each, want %d at least", jobs, groups, links, groups/2)
	}
}

// Deleting a client with many conversations occupies the writer for some of them at a time.
func TestADeletionOfAMemberOfManyIsManyCommits(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := newStore(t, Options{Registerer: registry})
	const groups = 3*leavePiece + 1
	newGroups(t, s, groups)
	before := jobsRun(t, registry)
	left, _, err := s.DeleteClient(t.Context(), "app", "ann", 9, false)
	if err != nil || len(left) != groups {
		t.Fatalf("got %d conversations, %v, want %d", len(left), err, groups)
	}
	if jobs := jobsRun(t, registry) - before; jobs < 4 {
		t.Errorf("got %d jobs for a client in %d conversations, want at least 4", jobs, groups)
	}
	for _, id := range []skein.ID{left[0], left[groups-1]} {
		conv, member, err := s.Conversation(t.Context(), "app", id, "ann")
		if err != nil || member != nil || conv.Members != 1 {
			t.Errorf("got %d members, %+v among them, %v, want bob alone", conv.Members, member, err)
		}
	}
	if pages, err := s.Views(t.Context(), "app", "ann", skein.ViewQuery{Limit: 1}); err != nil || pages.Total != 0 {
		t.Errorf("got %d conversations left, %v, want none", pages.Total, err)
	}
}

// newGroups creates n groups of the clients "ann" and "bob".
func newGroups(t *testing.T, s *Store, n int) {
	t.Helper()
	for _, id := range []string{"ann", "bob"} {
		if _, _, err := s.CreateClient(t.Context(), skein.Client{App: "app", ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	defer all.Wait()
	for range n {
		all.Go(func() {
			c := skein.Conversation{App: "app", ID: skein.ID(uuid.New()), Type: skein.Group, Created: 1}
			if _, _, err := s.CreateConversation(t.Context(), c, []skein.Member{{Client: "ann"}, {Client: "bob"}}, store.MemberLimit{}); err != nil {
				t.Error(err)
			}
		})
	}
}
