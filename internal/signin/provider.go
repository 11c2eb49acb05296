package signin

import (
	"context"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Bounds of what a provider is asked and believed.
const (
	retryAfter = 2 * time.Second // a provider that is away is not asked more often
	skew       = time.Minute     // how far the provider's clock may be behind this one
)

// discover reads what the provider says of itself, once. While the provider is away, calls wait
// for one attempt at a time, and those that waited get its error.
func (s *SignIn) discover(ctx context.Context) (*oauth2.Config, *oidc.Provider, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.provider == nil && s.failure != nil && s.opts.Now().Before(s.failed.Add(retryAfter)) {
		return nil, nil, s.failure
	}
	if s.provider == nil {
		// The provider keeps the client of this context, and fetches its keys with it.
		p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), s.opts.Client), s.opts.Issuer)
		if err != nil {
			s.failure, s.failed = err, s.opts.Now()
			return nil, nil, err
		}
		s.provider, s.scopes = p, scopesOf(p)
	}
	return &oauth2.Config{
		ClientID: s.opts.ClientID, ClientSecret: s.opts.ClientSecret, Endpoint: s.provider.Endpoint(),
		RedirectURL: s.opts.AdminURL + CallbackPath, Scopes: s.scopes,
	}, s.provider, nil
}

// scopesOf are the scopes to ask for. Providers differ about groups: some refuse that scope, some
// need it, and those list it.
func scopesOf(p *oidc.Provider) []string {
	scopes := []string{oidc.ScopeOpenID, "profile", "email"}
	var says struct {
		Scopes []string `json:"scopes_supported"`
	}
	if err := p.Claims(&says); err == nil && slices.Contains(says.Scopes, "groups") {
		scopes = append(scopes, "groups")
	}
	return scopes
}
