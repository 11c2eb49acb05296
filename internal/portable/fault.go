package portable

import (
	"errors"
	"fmt"

	"github.com/skein-im/skein"
)

// LineError is what is wrong with a line: Err is a *skein.Fault where a field is at
// fault.
type LineError struct {
	List string
	Line int64 // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("%s: line %d: %v", e.List, e.Line, e.Reason()) }

// Unwrap is Err.
func (e *LineError) Unwrap() error { return e.Err }

// Field is the field at fault; empty: none in particular.
func (e *LineError) Field() string {
	if f, ok := errors.AsType[*skein.Fault](e.Err); ok {
		return f.Field
	}
	return ""
}

// Reason is what is wrong in words, with the field.
func (e *LineError) Reason() string {
	if f, ok := errors.AsType[*skein.Fault](e.Err); ok && errors.Is(f, skein.ErrMalformed) {
		return f.Field + ": " + f.Detail
	}
	return e.Err.Error()
}

func at(list string, line int64, err error) error {
	if _, ok := errors.AsType[*LineError](err); ok {
		return err
	}
	return &LineError{List: list, Line: line, Err: err}
}

func malformed(field, format string, args ...any) error {
	return skein.Malformed(field, fmt.Sprintf(format, args...))
}
