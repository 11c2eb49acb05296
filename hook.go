package skein

import "slices"

// BeforeHook is an address of an app's backend that the server asks before something happens.
type BeforeHook struct {
	On      string // what it is asked before: of BeforeHooks
	URL     string
	Secrets []WebhookSecret // sign the calls; the newest first; at most MaxWebhookSecrets
	Timeout int             // milliseconds; zero: DefaultHookTimeout
	Closed  bool            // what the hook does not answer is refused; else it happens
}

// What hooks are asked before.
const (
	BeforeMessage      = "message"      // a message is sent or edited
	BeforeConversation = "conversation" // a conversation is created
	BeforeMembers      = "members"      // members are added to a conversation, or one joins a room
	BeforeLogin        = "login"        // a client logs in
	BeforeUpload       = "upload"       // an uploaded file is kept
)

// BeforeHooks are what an app may have hooks before.
var BeforeHooks = []string{BeforeMessage, BeforeConversation, BeforeMembers, BeforeLogin, BeforeUpload}

// Bounds of BeforeHook, in milliseconds.
const (
	MinHookTimeout     = 50
	MaxHookTimeout     = 2000
	DefaultHookTimeout = 500
)

// MaxHookReason is the most bytes of the text that a hook has for who was refused.
const MaxHookReason = 1000

// HookBefore is the app's hook; nil: it has none.
func (s *Settings) HookBefore(what string) *BeforeHook {
	if s.BeforeHooks == nil {
		return nil
	}
	i := slices.IndexFunc(s.BeforeHooks, func(h BeforeHook) bool { return h.On == what })
	if i < 0 {
		return nil
	}
	return &s.BeforeHooks[i]
}

// Question is what a hook is asked about: something that a client is about to do.
type Question struct {
	On     string // of BeforeHooks
	Client string // who does it
	Device string // may be empty

	Message  *Message // that is sent, or as it is to be after an edit
	Edit     bool     // of a message that was sent
	ConvType ConvType // of the conversation of the message, or of that below

	Conv    ID       // the conversation that is created, or that members are added to
	Clients []string // its other members, or those who are added
	Extend  []byte   // of the conversation that is created

	Addr string // from which the client logs in

	Path  string // of the link to the uploaded file
	Title string // what its uploader calls it; may be empty
	Bytes int64  // its size
}

// Verdict is what a hook decides. The zero value lets it happen.
type Verdict struct {
	Body *Body // of the message in place of its own; nil: it stays as it is
}

// Answer is what came of a question: a verdict, or an error.
type Answer struct {
	Verdict Verdict
	Err     error
}
