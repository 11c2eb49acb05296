package serve

import (
	"fmt"
	"net/http"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/clock"
	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/operators"
	"github.com/skein-im/skein/internal/signin"
)

// providerWait bounds a call to the provider of --oidc-issuer.
const providerWait = 10 * time.Second

// withSignIn lets operators call next with a session of the provider of --oidc-issuer; without one
// it is next.
func (s *Server) withSignIn(next http.Handler, cases *operators.Service) (http.Handler, error) {
	c := s.config.OIDC
	if c.OIDCIssuer == "" {
		return next, nil
	}
	roles, err := rolesOfGroups(c)
	if err != nil {
		return nil, err
	}
	in, err := signin.New(signin.Options{
		Issuer: c.OIDCIssuer, ClientID: c.OIDCClientID, ClientSecret: c.OIDCClientSecret, AdminURL: c.AdminURL,
		GroupsClaim: c.OIDCGroupsClaim, Roles: roles, Operators: cases, Trust: s.trust,
		Client: &http.Client{Timeout: providerWait}, Now: clock.Now, Log: s.log, Registerer: s.registry,
	})
	if err != nil {
		return nil, fmt.Errorf("--admin-url: %w", err)
	}
	return in.Handler(next), nil
}

// rolesOfGroups are the roles of --oidc-roles by group.
func rolesOfGroups(c config.OIDC) (map[string][]skein.OperatorIn, error) {
	list, err := c.GroupRoles()
	if err != nil {
		return nil, err
	}
	roles := map[string][]skein.OperatorIn{}
	for _, g := range list {
		role, known := skein.ParseOperatorRole(g.Role)
		if !known {
			return nil, fmt.Errorf("--oidc-roles: %q is not read-only, support, admin or owner", g.Role)
		}
		if g.App != "" && !skein.ValidAppID(g.App) {
			return nil, fmt.Errorf("--oidc-roles: %q is not the id of an app", g.App)
		}
		roles[g.Group] = append(roles[g.Group], skein.OperatorIn{App: g.App, Role: role})
	}
	return roles, nil
}
