package signin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/operators"
)

// identity is whom the provider vouches for.
type identity struct {
	issuer, subject string // together they name a person for ever
	shown           string // a name for people to read
	groups          []string
}

// exchange redeems a code, and checks the ID token that it gives: signature, issuer, audience,
// times and nonce.
func (s *SignIn) exchange(ctx context.Context, code, nonce, verifier string) (identity, error) {
	config, provider, err := s.discover(ctx)
	if err != nil {
		return identity{}, err
	}
	token, err := config.Exchange(oidc.ClientContext(ctx, s.opts.Client), code, oauth2.VerifierOption(verifier))
	if err != nil {
		return identity{}, withoutBody(err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return identity{}, errors.New("the provider sent no ID token")
	}
	id, err := provider.Verifier(&oidc.Config{ClientID: s.opts.ClientID, Now: func() time.Time { return s.opts.Now().Add(-skew) }}).Verify(ctx, raw)
	if err != nil {
		return identity{}, err
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1 {
		return identity{}, errors.New("the ID token has another nonce")
	}
	var claims map[string]json.RawMessage
	if err := id.Claims(&claims); err != nil {
		return identity{}, err
	}
	if to := textOf(claims["azp"]); to != "" && to != s.opts.ClientID {
		return identity{}, errors.New("the ID token was issued to another client")
	}
	return identity{id.Issuer, id.Subject, shownName(claims), groupsOf(claims[s.opts.GroupsClaim])}, nil
}

// withoutBody is an error of an exchange without the body of the answer, which may hold a secret.
func withoutBody(err error) error {
	if answer, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return fmt.Errorf("the provider answers HTTP %d, %s", answer.Response.StatusCode, answer.ErrorCode)
	}
	return err
}

func shownName(claims map[string]json.RawMessage) string {
	for _, claim := range []string{"email", "preferred_username", "name"} {
		if text := textOf(claims[claim]); text != "" {
			return text
		}
	}
	return ""
}

// textOf reads a claim that is a text; empty: it is none.
func textOf(claim json.RawMessage) (text string) {
	if json.Unmarshal(claim, &text) != nil {
		return ""
	}
	return text
}

// groupsOf reads a claim that is a list of texts, or one text.
func groupsOf(claim json.RawMessage) []string {
	var list []string
	if json.Unmarshal(claim, &list) == nil {
		return list
	}
	if one := textOf(claim); one != "" {
		return []string{one}
	}
	return nil
}

// name is the name of the operator: what people can read of it, and a part that no other person
// has, whatever a provider lets people call themselves.
func (i identity) name() string {
	sum := sha256.Sum256([]byte(i.issuer + "\x00" + i.subject))
	readable := strings.Map(func(c rune) rune {
		if c < 128 && skein.ValidOperatorName(string(c)) {
			return c
		}
		return -1
	}, i.shown)
	const most = 40
	return operators.ProviderPrefix + readable[:min(len(readable), most)] + "." + hex.EncodeToString(sum[:8])
}

// rolesOf are the roles of the groups: in each app, and in the installation, the greatest.
func (s *SignIn) rolesOf(groups []string) (roles []skein.OperatorIn) {
	for _, group := range groups {
		for _, role := range s.opts.Roles[group] {
			at := slices.IndexFunc(roles, func(r skein.OperatorIn) bool { return r.App == role.App })
			if at < 0 {
				roles = append(roles, role)
				continue
			}
			roles[at].Role = max(roles[at].Role, role.Role)
		}
	}
	return roles[:min(len(roles), skein.MaxOperatorRoles)]
}
