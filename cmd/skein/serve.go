package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/serve"
)

// serveCmd is `skein serve`.
type serveCmd struct {
	config.Serve

	AcceptLoss bool `help:"Start although the store's log is damaged, without the writes in it. The damaged log is kept beside the store."`
}

// Help is shown below the summary by --help.
func (serveCmd) Help() string {
	return "SIGTERM or SIGINT drains: no new logins, sockets are closed over --drain, every accepted message is committed. A second one exits at once."
}

// Run serves until a signal, then drains.
func (c *serveCmd) Run() error {
	log := newLogger(os.Stderr, c.Serve)
	if c.Node != "" {
		log = log.With(slog.String("node", c.Node))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	s, err := serve.New(ctx, c.Serve, c.AcceptLoss, log)
	if err != nil {
		return err
	}
	return s.Run(ctx, os.Stdout, stop)
}

func newLogger(w io.Writer, c config.Serve) *slog.Logger {
	opts := &slog.HandlerOptions{Level: c.Level()}
	if c.LogFormat == "json" {
		opts.ReplaceAttr = readable
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// readable makes the JSON log write durations as 10s, like the text log, instead of in
// nanoseconds.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}
