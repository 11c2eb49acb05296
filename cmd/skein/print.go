package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

// The output of the app commands, as JSON or as text.
type (
	appSecrets struct {
		AppID       string `json:"app_id"`
		AppKey      string `json:"app_key"`
		TokenSecret string `json:"token_secret"`
	}
	newKey struct {
		AppID   string `json:"app_id"`
		AppKey  string `json:"app_key"`
		KeyName string `json:"key_name"`
	}
	appLine struct {
		AppID     string `json:"app_id"`
		Name      string `json:"name"`
		Created   string `json:"created"` // RFC 3339, UTC
		TokenAuth bool   `json:"token_auth"`
	}
	appView struct {
		appLine

		TokenSecret string            `json:"token_secret,omitempty"`
		Keys        []keyView         `json:"keys"`
		Settings    adminapi.Settings `json:"settings"`
	}
	keyView struct {
		Name    string  `json:"name"`
		Created string  `json:"created"`
		Expires *string `json:"expires"` // null: never
	}
)

// printSecrets prints the key and secrets of a new app in the store of that name.
func printSecrets(out io.Writer, s appSecrets, storeName string, asJSON bool) error {
	if asJSON {
		return printJSON(out, s)
	}
	return printTable(out, fmt.Sprintf("App %s is in the store %s.\nKeep the key: it is not shown again.\n", s.AppID, storeName), [][]string{
		{"app_id", s.AppID}, {"app_key", s.AppKey}, {"token_secret", s.TokenSecret},
	})
}

func printKey(out io.Writer, k newKey, asJSON bool) error {
	if asJSON {
		return printJSON(out, k)
	}
	return printTable(out, fmt.Sprintf("App %s has a new key. Keep it: it is not shown again.\n", k.AppID), [][]string{
		{"app_key", k.AppKey}, {"key_name", k.KeyName},
	})
}

func printApps(out io.Writer, apps []skein.App, asJSON bool) error {
	lines := make([]appLine, 0, len(apps))
	for _, a := range apps {
		lines = append(lines, lineOf(a))
	}
	if asJSON {
		return printJSON(out, lines)
	}
	rows := [][]string{{"APP_ID", "NAME", "CREATED", "TOKEN AUTH"}}
	for _, l := range lines {
		rows = append(rows, []string{l.AppID, l.Name, l.Created, onOffText(l.TokenAuth)})
	}
	return printTable(out, "", rows)
}

func printApp(out io.Writer, app skein.App, secret, asJSON bool) error {
	view := appView{appLine: lineOf(app), Keys: keysOf(app.Keys), Settings: adminapi.SettingsOf(app.Settings)}
	if secret {
		view.TokenSecret = string(app.TokenSecret)
	}
	if asJSON {
		return printJSON(out, view)
	}
	return printTable(out, "", view.rows())
}

func lineOf(a skein.App) appLine {
	return appLine{AppID: a.ID, Name: a.Name, Created: stamp(a.Created), TokenAuth: !a.Settings.Open}
}

func keysOf(keys []skein.AppKey) []keyView {
	views := make([]keyView, 0, len(keys))
	for _, k := range keys {
		v := keyView{Name: k.Name, Created: stamp(k.Created)}
		if k.Expires != 0 {
			end := stamp(k.Expires)
			v.Expires = &end
		}
		views = append(views, v)
	}
	return views
}

// rows are the lines of the text output.
func (a appView) rows() [][]string {
	rows := [][]string{{"app_id", a.AppID}, {"name", a.Name}, {"created", a.Created}}
	if a.TokenSecret != "" {
		rows = append(rows, []string{"token_secret", a.TokenSecret})
	}
	for _, k := range a.Keys {
		life := "created " + k.Created
		if k.Expires != nil {
			life += ", ends " + *k.Expires
		}
		rows = append(rows, []string{"key " + k.Name, life})
	}
	return append(rows, settingRows(a.Settings)...)
}

func onOffText(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func stamp(m skein.Millis) string { return m.Time().Format(time.RFC3339) }

func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// printTable writes a heading and rows in aligned columns.
func printTable(out io.Writer, heading string, rows [][]string) error {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprint(w, heading)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush() // reports failed writes, too
}

// counted is a number with its noun, such as "1 file" or "2 files".
func counted[N int | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprint(n, " ", noun, "s")
}
