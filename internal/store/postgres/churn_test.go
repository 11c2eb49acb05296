package postgres_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres"
	"github.com/skein-im/skein/internal/store/postgres/pgtest"
)

var (
	churnTime = flag.Duration("churn.time", time.Minute, "how long BenchmarkChurn writes and purges")
	churnDay  = flag.Duration("churn.day", 10*time.Second, "how long a day of the store's clock takes in BenchmarkChurn")
)

// churn is a store whose rows all go again: messages with their conversations, which live a day, the
// logs after 7 days, retries after 7 to 14.
type churn struct {
	*testing.B
	*postgres.Store

	ctx            context.Context
	began          time.Time
	clients        []skein.Client
	sent, changed  atomic.Int64
	purges, slices atomic.Int64 // calls of Purge, and those that found something
}

// now is the store's clock, on which days pass fast.
func (c *churn) now() time.Time {
	const day = 24 * time.Hour
	return c.began.Add(time.Duration(float64(time.Since(c.began)) * float64(day) / float64(*churnDay)))
}

// BenchmarkChurn shows whether autovacuum keeps up where everything that is written is purged again. It
// prints a table of sizes every tenth of its time; see make churn and docs/decisions/0026.
func BenchmarkChurn(b *testing.B) {
	// Days are short, so autovacuum looks as often as it can: once a second, instead of once a minute.
	p := pgtest.Own(b, map[string]string{"shared_buffers": "256MB", "max_wal_size": "4GB", "autovacuum_naptime": "1s"})
	c := &churn{B: b, began: time.Now(), clients: make([]skein.Client, 64)}
	var err error
	if c.Store, err = postgres.Open(b.Context(), postgres.Options{URL: p.URL(), Now: c.now}); err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	ctx, stop := context.WithTimeout(b.Context(), *churnTime)
	defer stop()
	c.ctx = ctx
	c.must(c.CreateApp(ctx, skein.App{ID: "app"}))
	for i := range c.clients {
		c.clients[i].ID = fmt.Sprint("c", i)
	}
	_, err = c.CreateClients(ctx, "app", c.clients)
	c.must(err)
	var busy sync.WaitGroup
	const writers = 8
	for i := range writers {
		busy.Go(func() { c.write(i) })
	}
	busy.Go(c.purge)
	c.watch(p.URL())
	busy.Wait()
	b.ReportMetric(float64(c.sent.Load())/time.Since(c.began).Seconds(), "messages/s")
}

// must ends the benchmark with an error, but not with one of the end of its time.
func (c *churn) must(err error) {
	if err != nil && c.ctx.Err() == nil {
		c.Error(err)
	}
}

// write fills one conversation after the other.
func (c *churn) write(writer int) {
	for n := 0; c.ctx.Err() == nil; n++ {
		conv := skein.ID(uuid.Must(uuid.NewV7()))
		me, other := c.clients[(writer*8+n)%len(c.clients)].ID, c.clients[(writer*8+n+1)%len(c.clients)].ID
		_, _, err := c.CreateConversation(c.ctx, skein.Conversation{
			App: "app", ID: conv, Type: skein.Temporary, Creator: me, TTL: 24 * time.Hour, Created: skein.MillisOf(c.now()),
		}, []skein.Member{{Client: me}, {Client: other}}, store.MemberLimit{})
		c.must(err)
		const messages, burst = 200, 20
		for range messages / burst {
			c.burst(conv, me)
			_, _, err := c.UpdateMember(c.ctx, "app", conv, store.Authority{}, other, skein.MillisOf(c.now()), func(at skein.Conversation, m *skein.Member) error {
				m.ReadSeq = at.LastSeq
				return nil
			})
			c.must(err)
		}
	}
}

// burst sends some messages together and edits one.
func (c *churn) burst(conv skein.ID, by string) {
	const messages = 20
	drafts := make([]skein.Draft, messages)
	for i := range drafts {
		id := skein.ID(uuid.Must(uuid.NewV7()))
		drafts[i] = skein.Draft{App: "app", Need: skein.NeedMember, Message: skein.Message{
			ID: id, Conv: conv, Sender: by, ClientMsgID: id.String(), Created: skein.MillisOf(c.now()),
			Body: skein.Body{Type: skein.TypeText, Text: "a message of about as many bytes as people write to each other"},
		}}
	}
	answers, err := c.AppendAll(c.ctx, drafts)
	c.must(err)
	for _, a := range answers {
		c.must(a.Err)
	}
	if err != nil {
		return
	}
	c.sent.Add(messages)
	_, err = c.ChangeMessage(c.ctx, "app", conv, drafts[0].ID, store.Authority{}, "", func(at skein.MessageState) (skein.Change, error) {
		m := at.Message
		m.Text = "edited"
		return skein.Change{Kind: skein.ChangeEdit, By: by, At: skein.MillisOf(c.now()), Message: m}, nil
	})
	c.must(err)
	c.changed.Add(1)
}

// purge purges as the server does.
func (c *churn) purge() {
	for c.ctx.Err() == nil {
		more, err := c.Purge(c.ctx, skein.MillisOf(c.now()))
		c.must(err)
		c.purges.Add(1)
		if more {
			c.slices.Add(1)
			continue
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// watch prints what the tables hold, ten times.
func (c *churn) watch(url string) {
	conn, err := pgx.Connect(c.Context(), url)
	c.must(err)
	defer conn.Close(context.WithoutCancel(c.Context()))
	const times = 10
	for range times {
		select {
		case <-c.ctx.Done():
		case <-time.After(*churnTime/times - 10*time.Millisecond):
		}
		fmt.Fprintf(os.Stdout, "\nday %.1f: %d messages sent, %d edited, %d purges of which %d found something\n", c.now().Sub(c.began).Hours()/24, c.sent.Load(), c.changed.Load(), c.purges.Load(), c.slices.Load())
		fmt.Fprintln(os.Stdout, "| table | MB | of it indexes | rows | dead | autovacuums |")
		found, err := conn.Query(c.Context(), `SELECT relname, pg_total_relation_size(relid) / 1048576.0, pg_indexes_size(relid) / 1048576.0, n_live_tup, n_dead_tup, autovacuum_count
			FROM pg_stat_user_tables WHERE pg_total_relation_size(relid) > 1048576 ORDER BY 2 DESC`)
		c.must(err)
		var table string
		var size, indexes float64
		var live, dead, vacuums int64
		_, err = pgx.ForEachRow(found, []any{&table, &size, &indexes, &live, &dead, &vacuums}, func() error {
			fmt.Fprintf(os.Stdout, "| `%s` | %.1f | %.1f | %d | %d | %d |\n", table, size, indexes, live, dead, vacuums)
			return nil
		})
		c.must(err)
	}
}
