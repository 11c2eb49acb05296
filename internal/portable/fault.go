package portable

import (
	"errors"
	"fmt"

	"github.com/skein-im/skein"
)

// LineError is a fault in a line. If a field is at fault, Err is a *skein.Fault.
type LineError struct {
	List string
	Line int64 // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("%s: line %d: %v", e.List, e.Line, e.Reason()) }

// Unwrap returns Err.
func (e *LineError) Unwrap() error { return e.Err }

// Field returns the field at fault. Empty: no single field.
func (e *LineError) Field() string {
	if f, ok := errors.AsType[*skein.Fault](e.Err); ok {
		return f.Field
	}
	return ""
}

// Reason says in words what is wrong, with the field.
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
