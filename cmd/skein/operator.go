package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/user"
	"strings"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/datadir"
	"github.com/skein-im/skein/internal/operators"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

type operatorCmd struct {
	Create operatorCreate `cmd:"" help:"Create an operator of the Admin API and print its token."`
	List   operatorList   `cmd:"" help:"List all operators."`
	Token  operatorToken  `cmd:"" help:"Create another token of an operator and print it."`
	Delete operatorDelete `cmd:"" help:"Remove an operator and all its tokens."`
}

// operatorIssued is a new token as JSON.
type operatorIssued struct {
	Operator  string `json:"operator_name"`
	TokenName string `json:"token_name"`
	Token     string `json:"token"`
	Expires   string `json:"expires"` // RFC 3339, UTC
}

type operatorCreate struct {
	config.Store

	Name  string        `required:"" help:"1 to 64 of A-Z a-z 0-9 - _ . @."`
	Role  string        `required:"" enum:"read-only,support,admin,owner" help:"read-only, support, admin or owner."`
	App   []string      `placeholder:"ID,…" help:"Apps in which the role holds; default: the installation with all its apps."`
	Token string        `default:"default" placeholder:"NAME" help:"Name of the first token."`
	TTL   time.Duration `default:"2160h" help:"Time until the token expires, at most 8760h (365 days)."`
	JSON  bool          `help:"Print {operator_name, token_name, token, expires}."`
}

// Validate checks the flags. Kong calls it after parsing.
func (c *operatorCreate) Validate() error {
	_, err := c.roles()
	return errors.Join(c.Store.Validate(), err, checkOperatorName("--name", c.Name), checkOperatorName("--token", c.Token), checkTTL(c.TTL))
}

func (c *operatorCreate) roles() ([]skein.OperatorIn, error) {
	role, _ := skein.ParseOperatorRole(c.Role) // enum has checked it
	if len(c.App) == 0 {
		return []skein.OperatorIn{{Role: role}}, nil
	}
	roles := make([]skein.OperatorIn, 0, len(c.App))
	seen := map[string]bool{}
	for _, id := range c.App {
		if !skein.ValidAppID(id) || seen[id] {
			return nil, fmt.Errorf("--app: %q is a duplicate, or not 1 to 64 of A-Z a-z 0-9 - _", id)
		}
		seen[id] = true
		roles = append(roles, skein.OperatorIn{App: id, Role: role})
	}
	if len(roles) > skein.MaxOperatorRoles {
		return nil, fmt.Errorf("--app: at most %d", skein.MaxOperatorRoles)
	}
	return roles, nil
}

// Run creates the operator.
func (c *operatorCreate) Run(ctx context.Context, out io.Writer) error {
	roles, err := c.roles()
	if err != nil {
		return err
	}
	return datadir.WithNewStore(ctx, c.Store, func(s store.Store) error {
		made, err := operators.New(operators.Options{Store: s}).Create(ctx, fromHere(), c.Name, roles, operators.Terms{Name: c.Token, Life: c.TTL})
		if errors.Is(err, skein.ErrConflict) {
			return fmt.Errorf("--name: operator %q is there already", c.Name)
		}
		if err != nil {
			return fmt.Errorf("create operator %q: %w", c.Name, err)
		}
		return printIssued(out, made, c.JSON)
	})
}

type operatorList struct {
	config.Store

	JSON bool `help:"Print a list of {operator_name, roles, tokens, created}."`
}

// Run lists the operators.
func (c *operatorList) Run(ctx context.Context, out io.Writer) error {
	return datadir.WithStore(ctx, c.Store, func(s store.Store) error {
		cases := operators.New(operators.Options{Store: s})
		all, err := cases.List(ctx)
		if err != nil {
			return fmt.Errorf("list operators: %w", err)
		}
		accounts := make([]adminapi.Account, 0, len(all))
		rows := [][]string{{"OPERATOR", "ROLES", "TOKENS", "CREATED"}}
		for _, o := range all {
			a := adminapi.AccountOf(o, cases.Now())
			accounts = append(accounts, a)
			var roles, tokens []string
			for _, r := range a.Roles {
				where := "installation"
				if r.AppID != nil {
					where = *r.AppID
				}
				roles = append(roles, r.Role+" in "+where)
			}
			for _, t := range a.Tokens {
				tokens = append(tokens, t.TokenName+" until "+stamp(skein.Millis(t.Expires)))
			}
			rows = append(rows, []string{a.Name, strings.Join(roles, ", "), strings.Join(tokens, ", "), stamp(o.Created)})
		}
		if c.JSON {
			return printJSON(out, accounts)
		}
		return printTable(out, "", rows)
	})
}

type operatorToken struct {
	config.Store

	Name  string        `required:"" help:"The operator."`
	Token string        `required:"" placeholder:"NAME" help:"Name of the new token."`
	TTL   time.Duration `default:"2160h" help:"Time until the token expires, at most 8760h (365 days)."`
	JSON  bool          `help:"Print {operator_name, token_name, token, expires}."`
}

// Validate checks the flags.
func (c *operatorToken) Validate() error {
	return errors.Join(c.Store.Validate(), checkOperatorName("--token", c.Token), checkTTL(c.TTL))
}

// Run creates the token.
func (c *operatorToken) Run(ctx context.Context, out io.Writer) error {
	return datadir.WithStore(ctx, c.Store, func(s store.Store) error {
		made, err := operators.New(operators.Options{Store: s}).CreateToken(ctx, fromHere(), operators.OpTokenCreate, c.Name, operators.Terms{Name: c.Token, Life: c.TTL})
		if errors.Is(err, skein.ErrConflict) {
			return fmt.Errorf("--token: operator %q has a token %q already", c.Name, c.Token)
		}
		if err != nil {
			return aboutOperator(c.Name, err)
		}
		return printIssued(out, made, c.JSON)
	})
}

type operatorDelete struct {
	config.Store

	Name string `required:"" help:"The operator."`
}

// Run removes the operator.
func (c *operatorDelete) Run(ctx context.Context, out io.Writer) error {
	return datadir.WithStore(ctx, c.Store, func(s store.Store) error {
		if err := operators.New(operators.Options{Store: s}).Delete(ctx, fromHere(), c.Name); err != nil {
			return aboutOperator(c.Name, err)
		}
		_, err := fmt.Fprintf(out, "Operator %s is removed. Running servers refuse its tokens within 2 s.\n", c.Name)
		return err
	})
}

// fromHere is who runs a command on a machine of the installation, for the audit log. The colon
// is in no operator's name.
func fromHere() skein.Actor {
	name := "cli:unknown"
	if u, err := user.Current(); err == nil {
		name = "cli:" + u.Username
	}
	return skein.Actor{Operator: &skein.OperatorCall{Account: skein.OperatorAccount{Name: name, Roles: []skein.OperatorIn{{Role: skein.OperatorOwner}}}}}
}

func checkOperatorName(flag, name string) error {
	if !skein.ValidOperatorName(name) {
		return fmt.Errorf("%s: %q is not 1 to 64 of A-Z a-z 0-9 - _ . @", flag, name)
	}
	return nil
}

func checkTTL(ttl time.Duration) error {
	if ttl < time.Minute || ttl > adminapi.MaxTokenLife {
		return fmt.Errorf("--ttl: %v is not 1 minute to 8760h (365 days)", ttl)
	}
	return nil
}

// aboutOperator adds the name to an error of a use case.
func aboutOperator(name string, err error) error {
	switch {
	case errors.Is(err, skein.ErrNotFound):
		return fmt.Errorf("--name: there is no operator %q", name)
	case errors.Is(err, skein.ErrConflict):
		return fmt.Errorf("--name: %q is the last owner of the installation", name)
	default:
		return fmt.Errorf("operator %q: %w", name, err)
	}
}

// printIssued prints a new token.
func printIssued(out io.Writer, i operators.Issued, asJSON bool) error {
	if asJSON {
		return printJSON(out, operatorIssued{i.Operator, i.Name, i.Token, stamp(i.Expires)})
	}
	return printTable(out, fmt.Sprintf("Operator %s has a new token. Keep it: it is not shown again.\n", i.Operator), [][]string{
		{"token", i.Token}, {"token_name", i.Name}, {"expires", stamp(i.Expires)},
	})
}
