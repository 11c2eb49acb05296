package serve

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/skein-im/skein"
)

func TestTheAuditLogsWhoCalledWhatAndTheError(t *testing.T) {
	var out bytes.Buffer
	audit := auditTo(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	shop := &skein.App{ID: "shop"}
	for want, call := range map[string]struct {
		by  skein.Actor
		err error
	}{
		`op=msg.send app=shop client=Tom error=forbidden`: {skein.Actor{App: shop, Client: "Tom"}, skein.ErrForbidden},
		`op=msg.send app=shop`:                            {skein.Actor{App: shop}, nil},
		`op=msg.send operator=root`:                       {skein.Actor{Operator: &skein.OperatorCall{Account: skein.OperatorAccount{Name: "root"}}}, nil},
	} {
		out.Reset()
		audit(t.Context(), call.by, "msg.send", call.err)
		if got := strings.TrimSpace(out.String()); !strings.HasSuffix(got, "level=DEBUG msg=call "+want) {
			t.Errorf("%+v, %v: got %q, want it to end with %q", call.by, call.err, got, want)
		}
	}
	if auditTo(slog.New(slog.NewTextHandler(&out, nil))) != nil {
		t.Error("there is an audit although the log does not show the level debug")
	}
}
