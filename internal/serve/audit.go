package serve

import (
	"context"
	"log/slog"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
)

// auditTo logs every call at the level debug. It is nil, and costs nothing, if the log does not
// show that level.
func auditTo(log *slog.Logger) ops.Audit {
	if !log.Enabled(context.Background(), slog.LevelDebug) {
		return nil
	}
	return func(ctx context.Context, by skein.Actor, op string, err error) {
		attrs := []slog.Attr{slog.String("op", op)}
		if by.App != nil {
			attrs = append(attrs, slog.String("app", by.App.ID))
		}
		if by.Client != "" {
			attrs = append(attrs, slog.String("client", by.Client))
		}
		if by.Operator != nil {
			attrs = append(attrs, slog.String("operator", by.Operator.Account.Name))
		}
		if err != nil {
			attrs = append(attrs, slog.Any("error", err))
		}
		log.LogAttrs(ctx, slog.LevelDebug, "call", attrs...)
	}
}
