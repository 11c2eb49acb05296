package skein

// App is a tenant. Nothing is ever shared between two apps.
type App struct {
	ID          string // 1..64 of A–Z a–z 0–9 - _
	Name        string
	Keys        []AppKey
	TokenSecret []byte // HS256 secret of the app's tokens
	Settings    Settings
	Created     Millis
}

// Bounds of apps.
const (
	MaxAppName = 100 // characters
	MaxAppKeys = 20  // of one app
)

// AppKey is one named key of an app's backend. Only the hash is kept.
type AppKey struct {
	Name    string
	Hash    [32]byte // SHA-256 of the key
	Created Millis
	Expires Millis // zero: never; set when a key is rotated and the old one lives on for a while
}

// Settings are the choices of one app. A number of zero means the default that
// its comment gives; a negative rate means no limit.
type Settings struct {
	Open               bool         // no token needed: a call without credentials has the server role
	RelaxedClientIDs   bool         // client ids may also hold _ - . @ :
	NoAutoRegister     bool         // a login of an unknown client is refused
	ManagersMentionAll bool         // of a group or chat room only owner and admins mention everyone
	MembersMayInvite   bool         // any member of a group may add members, not only owner and admins
	AddBy              AddBy        // who may add clients that chose nothing; anyone
	MaxDevices         int          // live devices a client; 10
	MaxSockets         int          // logged-in sockets on each node; no bound but the app's share of the node's
	MaxMembers         int          // members a group; 10,000
	MaxConversations   int          // conversations a client; 10,000
	SendRate           int          // messages a second a client; 20
	SendBurst          int          // 60
	RESTRate           int          // REST calls a second an app key, and as many a client; 500
	CommandRate        int          // socket commands a second a session; 100
	LoginRate          int          // login attempts a minute an address and client after a failure; 10
	FileTypes          []string     // extensions that may be uploaded; nil: files.DefaultTypes
	MaxFileBytes       int64        // 100 MiB
	MaxStorageBytes    int64        // uploads of the app together, without messages; no bound
	QuotaMessages      int64        // messages a day; none. This and the next two warn and refuse nothing
	QuotaDeliveries    int64        // frames queued for sessions a day; none
	QuotaConnections   int64        // logged-in sockets on all nodes; none
	PrivateFiles       bool         // links to uploads are signed and expire
	FileLinkLife       int          // seconds after which they expire; 1 hour
	PrivateHistory     bool         // members see only what was said after they joined
	OnePerDeviceType   bool         // a login kicks the client's other sessions of its device_type
	HidePresence       bool         // clients may not ask who is online
	LastSeen           bool         // presence tells when a client was last online
	EditWindow         int          // seconds in which a sender may edit; 24 hours; negative: no limit
	RecallWindow       int          // seconds in which a sender may recall; 2 minutes; negative: no limit
	AllowedOrigins     []string     // web pages that may call the app, as OriginPatterns has them; none
	WordList           int64        // revision of the app's WordList; zero: none
	BeforeHooks        []BeforeHook // at most one before each; nil: none
	JWKS               string       // keys that verify tokens beside TokenSecret: the URL of a JSON Web Key Set, or the set; none
	TokenIssuer        string       // iss of the tokens that such a key verifies; not checked
	TokenAudience      string       // aud of them; not checked
}

// Defaults of Settings.
const (
	DefaultMaxDevices       = 10
	DefaultMaxMembers       = 10_000
	DefaultMaxConversations = 10_000
	DefaultSendRate         = 20
	DefaultSendBurst        = 60
	DefaultRESTRate         = 500
	DefaultCommandRate      = 100
	DefaultLoginRate        = 10
	DefaultMaxFileBytes     = 100 << 20
	DefaultEditWindow       = 24 * 60 * 60
	DefaultRecallWindow     = 2 * 60
	DefaultFileLinkLife     = 60 * 60
)

// Bounds of FileLinkLife, in seconds.
const (
	MinFileLinkLife = 60
	MaxFileLinkLife = 7 * 24 * 60 * 60
)

// Or is s with the limits of other in place of its own that are zero.
func (s Settings) Or(other Settings) Settings {
	setDefault(&s.MaxMembers, other.MaxMembers)
	setDefault(&s.MaxConversations, other.MaxConversations)
	setDefault(&s.SendRate, other.SendRate)
	setDefault(&s.SendBurst, other.SendBurst)
	setDefault(&s.RESTRate, other.RESTRate)
	setDefault(&s.LoginRate, other.LoginRate)
	return s
}

// WithDefaults is s with every zero number replaced by its default.
func (s Settings) WithDefaults() Settings {
	setDefault(&s.MaxDevices, DefaultMaxDevices)
	setDefault(&s.MaxMembers, DefaultMaxMembers)
	setDefault(&s.MaxConversations, DefaultMaxConversations)
	setDefault(&s.SendRate, DefaultSendRate)
	setDefault(&s.SendBurst, DefaultSendBurst)
	setDefault(&s.RESTRate, DefaultRESTRate)
	setDefault(&s.CommandRate, DefaultCommandRate)
	setDefault(&s.LoginRate, DefaultLoginRate)
	setDefault(&s.EditWindow, DefaultEditWindow)
	setDefault(&s.RecallWindow, DefaultRecallWindow)
	setDefault(&s.FileLinkLife, DefaultFileLinkLife)
	if s.MaxFileBytes == 0 {
		s.MaxFileBytes = DefaultMaxFileBytes
	}
	return s
}

func setDefault(v *int, d int) {
	if *v == 0 {
		*v = d
	}
}
