package portable

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// App is app.json. Keys and secrets are never in it.
type App struct {
	ID       string   `json:"app_id"`
	Name     string   `json:"name,omitzero"`
	Settings Settings `json:"settings,omitzero"`

	Unknown jsontext.Value `json:",embed"`
}

// Settings are the settings of the app that differ from the default, under the names that
// `skein app show` uses. An absent one has its default.
type Settings struct {
	TokenAuth            *bool    `json:"token_auth,omitzero"` // absent: true
	RelaxedClientIDs     bool     `json:"relaxed_client_ids,omitzero"`
	AutoRegister         *bool    `json:"auto_register,omitzero"` // absent: true
	MembersMayInvite     bool     `json:"members_may_invite,omitzero"`
	AddBy                string   `json:"add_by,omitzero"`                  // anyone, known or nobody
	MembersMayMentionAll *bool    `json:"members_may_mention_all,omitzero"` // absent: true
	PrivateHistory       bool     `json:"private_history,omitzero"`
	OnePerDeviceType     bool     `json:"one_per_device_type,omitzero"`
	Presence             *bool    `json:"presence,omitzero"` // absent: true
	LastSeen             bool     `json:"last_seen,omitzero"`
	MaxDevices           int      `json:"max_devices,omitzero"`
	MaxSockets           int      `json:"max_sockets,omitzero"`
	MaxMembers           int      `json:"max_members,omitzero"`
	MaxConversations     int      `json:"max_conversations,omitzero"`
	SendRate             int      `json:"send_rate,omitzero"`
	SendBurst            int      `json:"send_burst,omitzero"`
	RESTRate             int      `json:"rest_rate,omitzero"`
	CommandRate          int      `json:"command_rate,omitzero"`
	LoginRate            int      `json:"login_rate,omitzero"`
	EditWindow           int      `json:"edit_window,omitzero"`   // seconds
	RecallWindow         int      `json:"recall_window,omitzero"` // seconds
	AllowedOrigins       []string `json:"allowed_origins,omitzero"`
	FileTypes            []string `json:"file_types,omitzero"`
	MaxFileBytes         int64    `json:"max_file_bytes,omitzero"`
	MaxStorageBytes      int64    `json:"max_storage_bytes,omitzero"`
	QuotaMessages        int64    `json:"quota_messages,omitzero"`
	QuotaDeliveries      int64    `json:"quota_deliveries,omitzero"`
	QuotaConnections     int64    `json:"quota_connections,omitzero"`
	FileAccess           string   `json:"file_access,omitzero"`    // public or signed
	FileLinkLife         int      `json:"file_link_life,omitzero"` // seconds
	JWKS                 string   `json:"jwks,omitzero"`           // a URL, or a JSON Web Key Set
	TokenIssuer          string   `json:"token_issuer,omitzero"`
	TokenAudience        string   `json:"token_audience,omitzero"`
}

// AppOf returns the content of app.json for an app.
func AppOf(a skein.App) App {
	s := a.Settings
	return App{ID: a.ID, Name: a.Name, Settings: Settings{
		TokenAuth: off(s.Open), RelaxedClientIDs: s.RelaxedClientIDs, AutoRegister: off(s.NoAutoRegister),
		MembersMayInvite: s.MembersMayInvite, AddBy: addByOf(s.AddBy), MembersMayMentionAll: off(s.ManagersMentionAll),
		PrivateHistory: s.PrivateHistory, OnePerDeviceType: s.OnePerDeviceType, Presence: off(s.HidePresence), LastSeen: s.LastSeen,
		MaxDevices: s.MaxDevices, MaxSockets: s.MaxSockets, MaxMembers: s.MaxMembers, MaxConversations: s.MaxConversations,
		SendRate: s.SendRate, SendBurst: s.SendBurst, RESTRate: s.RESTRate, CommandRate: s.CommandRate, LoginRate: s.LoginRate,
		EditWindow: s.EditWindow, RecallWindow: s.RecallWindow,
		AllowedOrigins: s.AllowedOrigins, FileTypes: s.FileTypes, MaxFileBytes: s.MaxFileBytes, MaxStorageBytes: s.MaxStorageBytes,
		QuotaMessages: s.QuotaMessages, QuotaDeliveries: s.QuotaDeliveries, QuotaConnections: s.QuotaConnections,
		FileAccess: fileAccessOf(s.PrivateFiles), FileLinkLife: s.FileLinkLife,
		JWKS: s.JWKS, TokenIssuer: s.TokenIssuer, TokenAudience: s.TokenAudience,
	}}
}

// Of returns the settings in the form of the domain.
func (s Settings) Of() skein.Settings {
	return skein.Settings{
		Open: isOff(s.TokenAuth), RelaxedClientIDs: s.RelaxedClientIDs, NoAutoRegister: isOff(s.AutoRegister),
		MembersMayInvite: s.MembersMayInvite, AddBy: addBys[s.AddBy], ManagersMentionAll: isOff(s.MembersMayMentionAll),
		PrivateHistory: s.PrivateHistory, OnePerDeviceType: s.OnePerDeviceType, HidePresence: isOff(s.Presence), LastSeen: s.LastSeen,
		MaxDevices: s.MaxDevices, MaxSockets: s.MaxSockets, MaxMembers: s.MaxMembers, MaxConversations: s.MaxConversations,
		SendRate: s.SendRate, SendBurst: s.SendBurst, RESTRate: s.RESTRate, CommandRate: s.CommandRate, LoginRate: s.LoginRate,
		EditWindow: s.EditWindow, RecallWindow: s.RecallWindow,
		AllowedOrigins: s.AllowedOrigins, FileTypes: s.FileTypes, MaxFileBytes: s.MaxFileBytes, MaxStorageBytes: s.MaxStorageBytes,
		QuotaMessages: s.QuotaMessages, QuotaDeliveries: s.QuotaDeliveries, QuotaConnections: s.QuotaConnections,
		PrivateFiles: s.FileAccess == signedFiles, FileLinkLife: s.FileLinkLife,
		JWKS: s.JWKS, TokenIssuer: s.TokenIssuer, TokenAudience: s.TokenAudience,
	}
}

// signedFiles is the file_access of an app whose links to uploads expire.
const signedFiles = "signed"

func fileAccessOf(private bool) string {
	if private {
		return signedFiles
	}
	return ""
}

// off reads a switch that is on by default.
func off(is bool) *bool {
	if !is {
		return nil
	}
	return new(bool)
}

func isOff(v *bool) bool { return v != nil && !*v }

// addByOf returns the word for a choice.
func addByOf(choice skein.AddBy) string {
	for word, a := range addBys {
		if a == choice {
			return word
		}
	}
	return ""
}
