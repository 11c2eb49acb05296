package skein

import (
	"errors"
	"fmt"
	"time"
)

// What can go wrong, whatever the transport. Wrap them to say more; package wire
// turns them into codes.
var (
	ErrUnknownClient       = errors.New("unknown client")
	ErrInvalidClientID     = errors.New("invalid client id")
	ErrBanned              = errors.New("client is banned")
	ErrMissing             = errors.New("missing parameter")
	ErrMissingHeader       = errors.New("missing header")
	ErrUnauthenticated     = errors.New("authentication failed")
	ErrForbidden           = errors.New("forbidden")
	ErrUnknownConversation = errors.New("unknown conversation")
	ErrUnknownMessage      = errors.New("unknown message")
	ErrConflict            = errors.New("conflict")
	ErrTooSlow             = errors.New("sent too slowly")
	ErrTooLarge            = errors.New("too large")
	ErrRateLimited         = errors.New("rate limited")
	ErrConvType            = errors.New("wrong conversation type")
	ErrMalformed           = errors.New("malformed parameter")
	ErrFileType            = errors.New("file type not allowed")
	ErrRefused             = errors.New("content refused")
	ErrRejected            = errors.New("rejected by the app") // by its before-hook
	ErrUnavailable         = errors.New("unavailable")
	ErrUnknownApp          = errors.New("unknown app")
	ErrNotFound            = errors.New("not found") // what an operator's call names
)

// A Fault is one of the errors above about one field or one value, in words a
// caller may read: never an internal of the server.
type Fault struct {
	Err    error         // one of the sentinels
	Field  string        // the field, header or id at fault; may be empty
	Detail string        // what is wrong with it; may be empty
	Retry  time.Duration // when to come back; zero: not said
}

// Error is the sentinel's text, the field and the detail.
func (f *Fault) Error() string {
	switch {
	case f.Field == "" && f.Detail == "":
		return f.Err.Error()
	case f.Field == "":
		return fmt.Sprintf("%v: %s", f.Err, f.Detail)
	case f.Detail == "":
		return fmt.Sprintf("%v: %s", f.Err, f.Field)
	default:
		return fmt.Sprintf("%v: %s: %s", f.Err, f.Field, f.Detail)
	}
}

// Unwrap is the sentinel.
func (f *Fault) Unwrap() error { return f.Err }

// Missing is ErrMissing about a field.
func Missing(field string) error { return &Fault{Err: ErrMissing, Field: field} }

// Malformed is ErrMalformed about a field; detail is the rule, such as "at most 500".
func Malformed(field, detail string) error {
	return &Fault{Err: ErrMalformed, Field: field, Detail: detail}
}

// About is the sentinel err about one named thing, such as a client id.
func About(err error, name string) error { return &Fault{Err: err, Field: name} }

// Later is the sentinel err with the time after which to try again.
func Later(err error, retry time.Duration) error { return &Fault{Err: err, Retry: retry} }
