package serve

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/clock"
	"github.com/skein-im/skein/internal/hooks"
	"github.com/skein-im/skein/internal/operators"
	"github.com/skein-im/skein/internal/ops/adminrows"
	"github.com/skein-im/skein/internal/rest"
	"github.com/skein-im/skein/internal/wire"
)

// adminAPI serves the Admin API.
func (s *Server) adminAPI() (http.Handler, error) {
	who := access.NewOperators(access.OperatorOptions{Store: s.store, Now: clock.Now, Log: s.log})
	cases := operators.New(operators.Options{Store: s.store, Users: s.chat, Changed: who.Forget, AppChanged: s.gate.ForgetApp, Now: clock.Now})
	hooked := hooks.NewService(hooks.ServiceOptions{Store: s.store, Allow: s.config.Outbound(), AppChanged: s.gate.ForgetApp, Now: clock.Now})
	api := rest.New(rest.Options{
		Table:     adminrows.New(adminrows.Deps{Operators: cases, Webhooks: s.endpoints, Hooks: hooked, Audit: s.auditOperators()}),
		Operators: who, Trust: s.trust, MaxBody: s.maxBody(), Log: s.log,
	})
	return s.withSignIn(api, cases)
}

// auditOperators counts and logs every call of the Admin API with a valid token, also one that the
// operator's role does not allow.
func (s *Server) auditOperators() func(context.Context, skein.Actor, string, error) {
	calls := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "skein_admin_calls_total", Help: "Calls of the Admin API with a valid token, by op and code.",
	}, []string{"op", "code"})
	s.registry.MustRegister(calls)
	return func(ctx context.Context, by skein.Actor, op string, err error) {
		attrs := []slog.Attr{slog.String("op", op), slog.String("operator", by.Operator.Account.Name), slog.String("addr", by.Operator.Addr)}
		code := 0
		if err != nil {
			code = wire.CodeOf(err).Code
			attrs = append(attrs, slog.Any("error", err))
		}
		calls.WithLabelValues(op, strconv.Itoa(code)).Inc()
		s.log.LogAttrs(ctx, slog.LevelInfo, "operator's call", attrs...)
	}
}
