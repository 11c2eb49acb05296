package rest

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/share"
)

// Limits bound what callers may use of this node at a time. Of each limit one app (of
// Drains and Downloads, one address) may use at most half, so that others find room. Zero
// means the default, a negative number no bound.
type Limits struct {
	Calls            int   // running calls; default 4,096
	Bodies           int64 // memory of JSON bodies, in bytes; default 256 MiB
	Answers          int64 // memory of answers over 64 KiB, in bytes; default 512 MiB
	Uploads          int   // running uploads; default 512
	UploadsPerClient int   // running uploads of one client; default 8
	Drains           int   // refused bodies that the server reads and drops; default 256
	Downloads        int   // running downloads; default 1,024

	// Stall is how long a caller may take for the next 64 KiB of an upload or a
	// download; default 30 s.
	Stall time.Duration
	// Recheck is how often the server checks that the caller of an upload may still
	// upload; default 1 s.
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

// largeAnswer is the size, in bytes, from which an answer counts against Limits.Answers.
// All answers to changes are smaller: such an answer must not be refused once the change
// is made.
const largeAnswer = 64 << 10

// held is what callers use now: by app, if no comment says otherwise.
type held struct {
	calls, bodies, answers, uploads *share.Pool

	clients   *share.Pool // uploads, by client
	downloads *share.Pool // by address
	drains    *share.Pool // by address
	busy      share.Warning
}

func newHeld(l Limits) held {
	return held{
		calls:     share.New(int64(l.Calls)),
		bodies:    share.New(l.Bodies),
		answers:   share.New(l.Answers),
		uploads:   share.New(int64(l.Uploads)),
		clients:   share.New(-1),
		downloads: share.New(int64(l.Downloads)),
		drains:    share.New(int64(l.Drains)),
	}
}

// busy counts and logs a call that is refused because its app uses its whole share.
func (s *Server) busy(app, what string) {
	s.metrics.refused.WithLabelValues(what).Inc()
	s.held.busy.Log(s.opts.Log, time.Now(), "REST call refused: the app uses its whole share", slog.String("app", app), slog.String("what", what))
}

// takeUpload counts an upload; giveUpload ends it. Errors: skein.ErrRateLimited if the
// client has too many, skein.ErrUnavailable if the app has.
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

// uploader is a key of a client that is unique among all apps: app ids have no slash.
func uploader(by skein.Actor) string { return by.App.ID + "/" + by.Client }
