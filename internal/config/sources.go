package config

import (
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// settingsGroup marks the flags that environment and file can set too.
const settingsGroup = "settings"

// Options make kong list the settings in a group of their own, with default and
// environment variable.
func Options() []kong.Option {
	return []kong.Option{
		kong.ExplicitGroups([]kong.Group{{
			Key:         settingsGroup,
			Title:       "Settings:",
			Description: "A flag beats its environment variable, which beats its key in the file of --config.",
		}}),
		kong.ValueFormatter(describe),
	}
}

// describe adds the default and the environment variable to a flag's help.
func describe(v *kong.Value) string {
	if v.Flag == nil {
		return v.Help
	}
	var notes []string
	if v.HasDefault {
		notes = append(notes, "default "+v.Default)
	}
	if isSetting(v.Flag) {
		notes = append(notes, "$"+EnvName(v.Flag.Name))
	}
	if len(notes) == 0 {
		return v.Help
	}
	return v.Help + " (" + strings.Join(notes, ", ") + ")"
}

// EnvName is the environment variable of a flag: SKEIN_ADMIN_ADDR of admin-addr.
func EnvName(flag string) string {
	return "SKEIN_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func isSetting(f *kong.Flag) bool { return f.Group != nil && f.Group.Key == settingsGroup }

// BeforeResolve sets the flags that were not given from the environment and the file of
// --config. Kong calls it. Kong's own env tags are not used: kong applies them before
// the file, so that the file would win.
func (Store) BeforeResolve(ctx *kong.Context) error {
	values := map[string]string{}
	if path := configPath(ctx); path != "" {
		var err error
		if values, err = readFile(path, settings(ctx.Model)); err != nil {
			return err
		}
	}
	ctx.AddResolver(sources{file: values})
	return nil
}

// configPath is the file named by flag or environment; empty: none.
func configPath(ctx *kong.Context) string {
	for _, flag := range ctx.Flags() {
		if path, ok := ctx.FlagValue(flag).(string); ok && flag.Name == "config" && path != "" {
			return path
		}
	}
	return os.Getenv(EnvName("config"))
}

// settings are the names of all settings of all commands: one file serves the
// server and the commands beside it.
func settings(app *kong.Application) map[string]bool {
	names := map[string]bool{}
	for _, command := range app.Leaves(false) {
		for _, flag := range command.Flags {
			if isSetting(flag) {
				names[flag.Name] = true
			}
		}
	}
	return names
}

// sources are where a setting comes from when no flag was given.
type sources struct {
	file map[string]string // by name of the setting
}

// Validate has nothing to say: the file was checked when it was read.
func (sources) Validate(*kong.Application) error { return nil }

// Resolve is the setting's text, or nil.
func (s sources) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !isSetting(flag) {
		return nil, nil //nolint:nilnil // kong: no value
	}
	if value := os.Getenv(EnvName(flag.Name)); value != "" {
		return value, nil
	}
	if value, ok := s.file[flag.Name]; ok {
		return value, nil
	}
	return nil, nil //nolint:nilnil // kong: no value
}
