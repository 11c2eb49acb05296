package rest

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/share"
)

// Limits bound what callers may hold of this node. Of each one app gets half at
// most, so that another app finds room. Zero is the default, a negative number no
// bound.
type Limits struct {
	Calls            int   // under way at once; default 4,096
	Bodies           int64 // memory of JSON bodies, in bytes; default 256 MiB
	Answers          int64 // memory of answers over 64 KiB, in bytes; default 512 MiB
	Uploads          int   // under way at once; default 512
	UploadsPerClient int   // under way at once; default 8
	Drains           int   // refused bodies that are read to their end at once, half of them for one address; default 256
	Downloads        int   // under way at once, half of them for one address; default 1,024

	// Stall is how long a peer may take for the next 64 KiB of an upload or a
	// download; default 30 s.
	Stall time.Duration
	// Recheck is how often the caller of an upload is checked anew; default 1 s.
	Recheck time.Duration
}

func (l Limits) withDefaults() Limits {
	l.Calls = cmp.Or(l.Calls, 4096)
	l.Bodies = cmp.Or(l.Bodies, 256<<20)
	l.Answers = cmp.Or(l.Answers, 512<<20)
	l.Uploads = cmp.Or(l.Uploads, 512)
	l.UploadsPerClient = cmp.Or(l.UploadsPerClient, 8)
	l.Drains = cmp.Or(l.Drains, 256)
	l.Downloads = cmp.Or(l.Downloads, 1024)
	l.Stall = cmp.Or(l.Stall, stall)
	l.Recheck = cmp.Or(l.Recheck, time.Second)
	return l
}

// largeAnswer is where an answer begins to count, in bytes. Below it are all those
// that tell of a change, which must not be refused once it is made.
const largeAnswer = 64 << 10

// held is what callers hold now; all but clients, downloads and drains by app.
type held struct {
	calls, bodies, answers, uploads *share.Pool

	clients   *share.Pool // uploads by client
	downloads *share.Pool // by address
	drains    *share.Pool // likewise
	busy      share.Warning
}

func newHeld(l Limits) held {
	return held{
		calls:     share.New(int64(l.Calls), 1),
		bodies:    share.New(l.Bodies, 1),
		answers:   share.New(l.Answers, 1),
		uploads:   share.New(int64(l.Uploads), 1),
		clients:   share.New(-1, 1),
		downloads: share.New(int64(l.Downloads), 1),
		drains:    share.New(int64(l.Drains), 1),
	}
}

// busy counts a call that is refused since its app holds its share, and tells the
// operator.
func (s *Server) busy(app, what string) {
	s.metrics.refused.WithLabelValues(what).Inc()
	s.held.busy.Log(s.opts.Log, time.Now(), "REST is refused: too much is under way", slog.String("app", app), slog.String("what", what))
}

// takeUpload takes a place for an upload; giveUpload gives it back. Errors:
// skein.ErrRateLimited for a client with too many, skein.ErrUnavailable for an app.
func (s *Server) takeUpload(by skein.Actor) error {
	if !by.Server() && !s.held.clients.Take(uploader(by), 1, int64(s.opts.Limits.UploadsPerClient)) {
		s.metrics.refused.WithLabelValues("uploads_of_client").Inc()
		return &skein.Fault{Err: skein.ErrRateLimited, Detail: "too many uploads of this client at once"}
	}
	if s.held.uploads.Take(by.App.ID, 1, 0) {
		return nil
	}
	if !by.Server() {
		s.held.clients.Give(uploader(by), 1)
	}
	s.busy(by.App.ID, "uploads")
	return &skein.Fault{Err: skein.ErrUnavailable, Detail: "too many uploads of this app at once"}
}

func (s *Server) giveUpload(by skein.Actor) {
	s.held.uploads.Give(by.App.ID, 1)
	if !by.Server() {
		s.held.clients.Give(uploader(by), 1)
	}
}

// uploader names a client among those of all apps: no app id holds a slash.
func uploader(by skein.Actor) string { return by.App.ID + "/" + by.Client }
