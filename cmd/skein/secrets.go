package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/datadir"
	"github.com/skein-im/skein/internal/seal"
	"github.com/skein-im/skein/internal/store/sealed"
)

type secretsCmd struct {
	Key    secretsKey    `cmd:"" help:"Print a new key, as a line for the file of --secret-key-file."`
	List   secretsList   `cmd:"" help:"List the keys, and how many secrets each of them seals."`
	Reseal secretsReseal `cmd:"" help:"Seal all secrets with the newest key. Servers may run meanwhile, if all have that key."`
}

type secretsKey struct{}

// Run prints a key.
func (secretsKey) Run(out io.Writer) error {
	_, err := fmt.Fprintln(out, seal.NewKey())
	return err
}

type secretsList struct {
	config.Store

	JSON bool `help:"Print a list of {key, secrets}; the key is null for secrets that are not sealed."`
}

// Run lists the keys.
func (c *secretsList) Run(ctx context.Context, out io.Writer) error {
	keys, err := seal.Read(c.SecretKeyFile)
	if err != nil {
		return err
	}
	return datadir.WithSecrets(ctx, c.Store, func(s *sealed.Store) error {
		byKey, _, err := s.Secrets(ctx)
		if err != nil {
			return fmt.Errorf("list secrets: %w", err)
		}
		return c.print(out, keys.IDs(), byKey)
	})
}

// print lists the keys of the file, oldest first, and then those that only the store knows.
func (c *secretsList) print(out io.Writer, known []string, byKey map[string]int) error {
	type line struct {
		Key     *string `json:"key"`
		Secrets int     `json:"secrets"`
	}
	lines, rows := []line{}, [][]string{{"KEY", "SECRETS", ""}}
	ids := slices.Clone(known)
	for _, id := range slices.Sorted(maps.Keys(byKey)) {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		note := ""
		l := line{&id, byKey[id]}
		switch {
		case id == "":
			l.Key, note = nil, "not sealed"
		case !slices.Contains(known, id):
			note = "not in the file: these secrets cannot be read"
		case id == known[len(known)-1]:
			note = "the newest: seals"
		case byKey[id] == 0:
			note = "no longer needed, but by older backups"
		}
		lines = append(lines, l)
		rows = append(rows, []string{cmp.Or(id, "none"), fmt.Sprint(byKey[id]), note})
	}
	if c.JSON {
		return printJSON(out, lines)
	}
	return printTable(out, "", rows)
}

type secretsReseal struct {
	config.Store
}

// Validate checks that there is a key.
func (c *secretsReseal) Validate() error {
	if c.SecretKeyFile == "" {
		return errors.Join(c.Store.Validate(), errors.New("--secret-key-file: needs a file"))
	}
	return c.Store.Validate()
}

// Run seals all secrets with the newest key.
func (c *secretsReseal) Run(ctx context.Context, out io.Writer) error {
	return datadir.WithSecrets(ctx, c.Store, func(s *sealed.Store) error {
		n, err := s.Reseal(ctx, fromHere().Operator.Deed(sealed.OpReseal, ""))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s sealed with the newest key.\n", counted(n, "secret"))
		return err
	})
}
