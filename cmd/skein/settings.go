package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/skein-im/skein"
)

// settingFlags are the settings of an app as flags; nil means not given.
type settingFlags struct {
	TokenAuth        *onOff      `group:"App settings:" placeholder:"on|off" help:"Whether a call needs a key or a token; off gives everybody the server role (default on)."`
	RelaxedClientIDs *onOff      `group:"App settings:" name:"relaxed-client-ids" placeholder:"on|off" help:"Whether client ids may hold _ - . @ : too (default off)."`
	AutoRegister     *onOff      `group:"App settings:" placeholder:"on|off" help:"Whether the first login of an unknown client registers it (default on)."`
	MembersMayInvite *onOff      `group:"App settings:" placeholder:"on|off" help:"Whether any member of a group may add members, not only owner and admins (default off)."`
	AddBy            *addBy      `group:"App settings:" placeholder:"anyone|known|nobody" help:"Which clients may add a client that chose nothing to conversations; known: those with whom it has exchanged private messages (default anyone)."`
	MentionAll       *onOff      `group:"App settings:" name:"members-may-mention-all" placeholder:"on|off" help:"Whether any member of a group or chat room may mention everyone, not only owner and admins (default on)."`
	PrivateHistory   *onOff      `group:"App settings:" placeholder:"on|off" help:"Whether members see only what was said after they joined (default off)."`
	OnePerDeviceType *onOff      `group:"App settings:" placeholder:"on|off" help:"Whether a login ends the client's other sessions on devices of the same type (default off)."`
	Presence         *onOff      `group:"App settings:" placeholder:"on|off" help:"Whether clients may ask who is online (default on)."`
	LastSeen         *onOff      `group:"App settings:" placeholder:"on|off" help:"Whether presence tells when a client was last online (default off)."`
	MaxDevices       *int        `group:"App settings:" placeholder:"N" help:"Most devices of a client that are online (0: 10)."`
	MaxSockets       *int        `group:"App settings:" placeholder:"N" help:"Most logged-in sockets on each node (0: the app's share of the node)."`
	MaxMembers       *int        `group:"App settings:" placeholder:"N" help:"Most members of a group (0: as the server's --max-members)."`
	MaxConversations *int        `group:"App settings:" placeholder:"N" help:"Most conversations of a client (0: as the server's --max-conversations)."`
	SendRate         *int        `group:"App settings:" placeholder:"N" help:"Messages that a client may send a second (0: as the server's --send-rate, negative: no limit)."`
	SendBurst        *int        `group:"App settings:" placeholder:"N" help:"Messages that a client may send at once (0: as the server's --send-burst)."`
	RESTRate         *int        `group:"App settings:" name:"rest-rate" placeholder:"N" help:"REST calls a second, for each app key and each client (0: as the server's --rest-rate, negative: no limit)."`
	CommandRate      *int        `group:"App settings:" placeholder:"N" help:"Socket commands a second, for each session (0: 100, negative: no limit)."`
	LoginRate        *int        `group:"App settings:" placeholder:"N" help:"Failed logins a minute, for each client from one address (0: as the server's --login-rate, negative: no limit)."`
	EditWindow       *int        `group:"App settings:" placeholder:"SECONDS" help:"How long a sender may edit a message (0: 24 hours, negative: no limit)."`
	RecallWindow     *int        `group:"App settings:" placeholder:"SECONDS" help:"How long a sender may recall a message (0: 2 minutes, negative: no limit)."`
	AllowedOrigins   *[]string   `group:"App settings:" placeholder:"ORIGIN,…" help:"Web pages that may call the app: exact origins such as https://example.com, or all below a name, *.example.com; empty for none."`
	FileTypes        *[]string   `group:"App settings:" placeholder:"EXT,…" help:"File name extensions that may be uploaded; empty for the default list."`
	MaxFileBytes     *int64      `group:"App settings:" placeholder:"N" help:"Largest upload in bytes (0: 100 MiB)."`
	MaxStorageBytes  *int64      `group:"App settings:" placeholder:"N" help:"Most bytes of all uploads together (0: no limit); messages are not counted."`
	FileAccess       *fileAccess `group:"App settings:" placeholder:"public|signed" help:"Who may open an upload: whoever has its link, or whoever has a signed link that has not expired; who reads what names the file gets a new link (default public)."`
	FileLinkLife     *int        `group:"App settings:" placeholder:"SECONDS" help:"Time after which a signed link expires, 60 to 604800 (0: 1 hour)."`
}

// onOff is a switch, written "on" or "off".
type onOff bool

// UnmarshalText reads on and off.
func (v *onOff) UnmarshalText(text []byte) error {
	switch string(text) {
	case "on":
		*v = true
	case "off":
		*v = false
	default:
		return fmt.Errorf("%q is neither on nor off", text)
	}
	return nil
}

// addBy says who may add clients.
type addBy skein.AddBy

var addByNames = [...]string{skein.AddByAnyone: "anyone", skein.AddByKnown: "known", skein.AddByNobody: "nobody"}

// UnmarshalText reads anyone, known and nobody.
func (a *addBy) UnmarshalText(text []byte) error {
	i := slices.Index(addByNames[skein.AddByAnyone:], string(text))
	if i < 0 {
		return fmt.Errorf("%q is not anyone, known or nobody", text)
	}
	*a = addBy(skein.AddByAnyone) + addBy(i)
	return nil
}

// fileAccess says who may open an upload: signed or not.
type fileAccess bool

var fileAccessNames = map[fileAccess]string{false: "public", true: "signed"}

// UnmarshalText reads public and signed.
func (a *fileAccess) UnmarshalText(text []byte) error {
	for value, name := range fileAccessNames {
		if name == string(text) {
			*a = value
			return nil
		}
	}
	return fmt.Errorf("%q is neither public nor signed", text)
}

func (f settingFlags) empty() bool { return f == settingFlags{} }

// apply sets the given settings.
func (f settingFlags) apply(s *skein.Settings) {
	setSwitch(&s.Open, f.TokenAuth, false)
	setSwitch(&s.RelaxedClientIDs, f.RelaxedClientIDs, true)
	setSwitch(&s.NoAutoRegister, f.AutoRegister, false)
	setSwitch(&s.MembersMayInvite, f.MembersMayInvite, true)
	set(&s.AddBy, (*skein.AddBy)(f.AddBy))
	setSwitch(&s.ManagersMentionAll, f.MentionAll, false)
	setSwitch(&s.PrivateHistory, f.PrivateHistory, true)
	setSwitch(&s.OnePerDeviceType, f.OnePerDeviceType, true)
	setSwitch(&s.HidePresence, f.Presence, false)
	setSwitch(&s.LastSeen, f.LastSeen, true)
	set(&s.MaxDevices, f.MaxDevices)
	set(&s.MaxSockets, f.MaxSockets)
	set(&s.MaxMembers, f.MaxMembers)
	set(&s.MaxConversations, f.MaxConversations)
	set(&s.SendRate, f.SendRate)
	set(&s.SendBurst, f.SendBurst)
	set(&s.RESTRate, f.RESTRate)
	set(&s.CommandRate, f.CommandRate)
	set(&s.LoginRate, f.LoginRate)
	set(&s.EditWindow, f.EditWindow)
	set(&s.RecallWindow, f.RecallWindow)
	set(&s.MaxFileBytes, f.MaxFileBytes)
	set(&s.MaxStorageBytes, f.MaxStorageBytes)
	set(&s.PrivateFiles, (*bool)(f.FileAccess))
	set(&s.FileLinkLife, f.FileLinkLife)
	if f.AllowedOrigins != nil {
		s.AllowedOrigins, _ = skein.OriginPatterns(*f.AllowedOrigins) // check has validated them
	}
	if f.FileTypes != nil {
		s.FileTypes = extensions(*f.FileTypes)
	}
}

// check refuses invalid values, such as negative numbers where they mean nothing.
func (f settingFlags) check() error {
	for _, n := range []struct {
		flag  string
		value *int
	}{
		{"--max-devices", f.MaxDevices},
		{"--max-sockets", f.MaxSockets},
		{"--max-members", f.MaxMembers},
		{"--max-conversations", f.MaxConversations},
		{"--send-burst", f.SendBurst},
	} {
		if n.value != nil && *n.value < 0 {
			return fmt.Errorf("%s: %d is less than nothing", n.flag, *n.value)
		}
	}
	if f.AllowedOrigins != nil {
		if _, err := skein.OriginPatterns(*f.AllowedOrigins); err != nil {
			return fmt.Errorf("--allowed-origins: %w", err)
		}
	}
	if n := f.FileLinkLife; n != nil && *n != 0 && (*n < skein.MinFileLinkLife || *n > skein.MaxFileLinkLife) {
		return fmt.Errorf("--file-link-life: %d is not 0 or %d to %d", *n, skein.MinFileLinkLife, skein.MaxFileLinkLife)
	}
	for flag, n := range map[string]*int64{"--max-file-bytes": f.MaxFileBytes, "--max-storage-bytes": f.MaxStorageBytes} {
		if n != nil && *n < 0 {
			return fmt.Errorf("%s: %d is less than nothing", flag, *n)
		}
	}
	return nil
}

// extensions converts a list to the form that package files compares; an empty list to nil.
func extensions(list []string) []string {
	var out []string
	for _, ext := range list {
		ext = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(ext), "."))
		if ext != "" && !slices.Contains(out, ext) {
			out = append(out, ext)
		}
	}
	return out
}

func set[T any](setting, given *T) {
	if given != nil {
		*setting = *given
	}
}

// setSwitch sets a setting to whether the switch is in that position.
func setSwitch(setting *bool, given *onOff, position onOff) {
	if given != nil {
		*setting = *given == position
	}
}
