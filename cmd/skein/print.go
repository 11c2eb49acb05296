package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/skein-im/skein"
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

		TokenSecret string       `json:"token_secret,omitempty"`
		Keys        []keyView    `json:"keys"`
		Settings    settingsView `json:"settings"`
	}
	keyView struct {
		Name    string  `json:"name"`
		Created string  `json:"created"`
		Expires *string `json:"expires"` // null: never
	}
	// settingsView has the names of the flags. The numbers hold for the app; zero is explained.
	settingsView struct {
		TokenAuth            bool     `json:"token_auth"`
		RelaxedClientIDs     bool     `json:"relaxed_client_ids"`
		AutoRegister         bool     `json:"auto_register"`
		MembersMayInvite     bool     `json:"members_may_invite"`
		AddBy                string   `json:"add_by"`
		MembersMayMentionAll bool     `json:"members_may_mention_all"`
		PrivateHistory       bool     `json:"private_history"`
		OnePerDeviceType     bool     `json:"one_per_device_type"`
		Presence             bool     `json:"presence"`
		LastSeen             bool     `json:"last_seen"`
		MaxDevices           int      `json:"max_devices"`
		MaxSockets           int      `json:"max_sockets"` // 0: the app's share of the node
		MaxMembers           int      `json:"max_members"` // 0: as the server's flag; so too the next five
		MaxConversations     int      `json:"max_conversations"`
		SendRate             int      `json:"send_rate"`
		SendBurst            int      `json:"send_burst"`
		RESTRate             int      `json:"rest_rate"`
		CommandRate          int      `json:"command_rate"`
		LoginRate            int      `json:"login_rate"`
		EditWindow           int      `json:"edit_window"`   // seconds
		RecallWindow         int      `json:"recall_window"` // seconds
		AllowedOrigins       []string `json:"allowed_origins"`
		FileTypes            []string `json:"file_types"` // null: the usual ones
		MaxFileBytes         int64    `json:"max_file_bytes"`
		MaxStorageBytes      int64    `json:"max_storage_bytes"` // 0: no bound
		FileAccess           string   `json:"file_access"`
		FileLinkLife         int      `json:"file_link_life"` // seconds
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
	view := appView{appLine: lineOf(app), Keys: keysOf(app.Keys), Settings: settingsOf(app.Settings)}
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

func settingsOf(own skein.Settings) settingsView {
	s := own.WithDefaults()
	return settingsView{
		TokenAuth: !s.Open, RelaxedClientIDs: s.RelaxedClientIDs, AutoRegister: !s.NoAutoRegister,
		MembersMayInvite: s.MembersMayInvite, AddBy: addByNames[s.AddBy.Or(skein.AddByAnyone)], MembersMayMentionAll: !s.ManagersMentionAll, PrivateHistory: s.PrivateHistory,
		OnePerDeviceType: s.OnePerDeviceType, Presence: !s.HidePresence, LastSeen: s.LastSeen,
		MaxDevices: s.MaxDevices, CommandRate: s.CommandRate,
		// For these an app without a setting has that of the server, which this command does not know.
		MaxMembers: own.MaxMembers, MaxConversations: own.MaxConversations,
		SendRate: own.SendRate, SendBurst: own.SendBurst, RESTRate: own.RESTRate, LoginRate: own.LoginRate,
		EditWindow: s.EditWindow, RecallWindow: s.RecallWindow,
		AllowedOrigins: append([]string{}, s.AllowedOrigins...),
		FileTypes:      s.FileTypes, MaxFileBytes: s.MaxFileBytes,
		MaxStorageBytes: s.MaxStorageBytes, MaxSockets: s.MaxSockets,
		FileAccess: fileAccessNames[fileAccess(s.PrivateFiles)], FileLinkLife: s.FileLinkLife,
	}
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
	return append(rows, a.Settings.rows()...)
}

func (s settingsView) rows() [][]string {
	types := "the usual ones"
	if s.FileTypes != nil {
		types = strings.Join(s.FileTypes, ",")
	}
	number := func(n int) string { return fmt.Sprint(n) }
	return [][]string{
		{"token-auth", onOffText(s.TokenAuth)},
		{"relaxed-client-ids", onOffText(s.RelaxedClientIDs)},
		{"auto-register", onOffText(s.AutoRegister)},
		{"members-may-invite", onOffText(s.MembersMayInvite)},
		{"add-by", s.AddBy},
		{"members-may-mention-all", onOffText(s.MembersMayMentionAll)},
		{"private-history", onOffText(s.PrivateHistory)},
		{"one-per-device-type", onOffText(s.OnePerDeviceType)},
		{"presence", onOffText(s.Presence)},
		{"last-seen", onOffText(s.LastSeen)},
		{"max-devices", number(s.MaxDevices)},
		{"max-sockets", orElse(s.MaxSockets, "the app's share of the node")},
		{"max-members", orElse(s.MaxMembers, "as the server's --max-members")},
		{"max-conversations", orElse(s.MaxConversations, "as the server's --max-conversations")},
		{"send-rate", orElse(s.SendRate, "as the server's --send-rate")},
		{"send-burst", orElse(s.SendBurst, "as the server's --send-burst")},
		{"rest-rate", orElse(s.RESTRate, "as the server's --rest-rate")},
		{"command-rate", number(s.CommandRate)},
		{"login-rate", orElse(s.LoginRate, "as the server's --login-rate")},
		{"edit-window", number(s.EditWindow)},
		{"recall-window", number(s.RecallWindow)},
		{"allowed-origins", cmp.Or(strings.Join(s.AllowedOrigins, ","), "none")},
		{"file-types", types},
		{"max-file-bytes", fmt.Sprint(s.MaxFileBytes)},
		{"max-storage-bytes", orElse(s.MaxStorageBytes, "no bound")},
		{"file-access", s.FileAccess},
		{"file-link-life", number(s.FileLinkLife)},
	}
}

// orElse is a number, or the text for zero.
func orElse[N int | int64](n N, none string) string {
	if n == 0 {
		return none
	}
	return fmt.Sprint(n)
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
