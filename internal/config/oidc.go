package config

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// OIDC are the settings of sign-in at an OpenID Connect provider.
type OIDC struct {
	AdminURL         string   `group:"settings" name:"admin-url" placeholder:"URL" help:"URL under which the browsers of operators reach --admin-addr. Sign-in needs it."`
	OIDCIssuer       string   `group:"settings" name:"oidc-issuer" placeholder:"URL" help:"OpenID Connect provider at which operators sign in. If unset: operators have tokens alone."`
	OIDCClientID     string   `group:"settings" name:"oidc-client-id" placeholder:"ID" help:"Client id of this installation at the provider."`
	OIDCClientSecret string   `group:"settings" name:"oidc-client-secret" placeholder:"TEXT" help:"Client secret of this installation at the provider; none for a public client. Pass it in SKEIN_OIDC_CLIENT_SECRET or the file."`
	OIDCGroupsClaim  string   `group:"settings" name:"oidc-groups-claim" default:"groups" placeholder:"NAME" help:"Claim of the ID token that lists the groups of an operator."`
	OIDCRoles        []string `group:"settings" name:"oidc-roles" sep:";" placeholder:"GROUP=ROLE;…" help:"Roles of the provider's groups: GROUP=ROLE in the installation, or GROUP=ROLE@APP in one app; ROLE is read-only, support, admin or owner."`
}

// GroupRole is a role of a group of the provider.
type GroupRole struct {
	Group, Role string
	App         string // empty: the installation
}

// GroupRoles reads --oidc-roles. A group may have an equals sign in its name.
func (o OIDC) GroupRoles() (all []GroupRole, err error) {
	for _, text := range o.OIDCRoles {
		at := strings.LastIndexByte(text, '=')
		if at < 1 {
			return nil, fmt.Errorf("--oidc-roles: %q is not GROUP=ROLE or GROUP=ROLE@APP", text)
		}
		r := GroupRole{Group: strings.TrimSpace(text[:at])}
		r.Role, r.App, _ = strings.Cut(strings.TrimSpace(text[at+1:]), "@")
		all = append(all, r)
	}
	return all, nil
}

// check says which of the flags cannot work and why.
func (o OIDC) check() error {
	if o.OIDCIssuer == "" {
		if o.OIDCClientID != "" || len(o.OIDCRoles) > 0 {
			return errors.New("--oidc-issuer: missing, while other settings of sign-in are there")
		}
		return nil
	}
	for _, u := range []struct{ flag, value string }{{"--oidc-issuer", o.OIDCIssuer}, {"--admin-url", o.AdminURL}} {
		parsed, err := url.Parse(u.value)
		if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" || parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "" {
			return fmt.Errorf("%s: %q is not http://… or https://…, which sign-in needs", u.flag, u.value)
		}
	}
	if strings.HasSuffix(o.AdminURL, "/") {
		return fmt.Errorf("--admin-url: %q ends with a slash", o.AdminURL)
	}
	switch {
	case o.OIDCClientID == "":
		return errors.New("--oidc-client-id: missing")
	case len(o.OIDCRoles) == 0:
		return errors.New("--oidc-roles: missing: nobody would have a role")
	}
	_, err := o.GroupRoles()
	return err
}
