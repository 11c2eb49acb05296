package delivery

import (
	"context"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/wire"
)

// retryEvery is how often what could not be read is tried again.
const retryEvery = time.Second

// retryUntil lets the lanes try again until ctx ends.
func (d *Delivery) retryUntil(ctx context.Context) {
	tick := time.NewTicker(retryEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for _, l := range d.lanes {
				l.queue.retry()
			}
		}
	}
}

// Resync has all sessions of this node asked to sync: events may have been lost of which
// nobody knows what they were. It does not wait.
func (d *Delivery) Resync() {
	select {
	case d.resyncs <- struct{}{}:
	default: // it will begin anew anyway
	}
}

// resyncUntil asks the sessions whenever it is told to, until ctx ends.
func (d *Delivery) resyncUntil(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.resyncs:
			d.askToSync(ctx)
		}
	}
}

// askToSync sends every session of this node a resync event, spread over ResyncOver.
func (d *Delivery) askToSync(ctx context.Context) {
	d.opts.Log.Info("sessions are asked to sync: events of other nodes may have been lost")
	tick := time.NewTicker(max(d.opts.ResyncOver/hub.Shards, 1))
	defer tick.Stop()
	frame, kind := wire.AppendResync(nil), skein.EventSetOf(skein.EventResync)
	for shard := range hub.Shards {
		n := d.opts.Hub.DeliverToShard(shard, frame, kind)
		d.metrics.delivered.Add(float64(n))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
