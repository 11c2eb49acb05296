package skein

// Trace names a traced call, and the step of it that something follows from: trace id and span id
// of W3C Trace Context. Zero: the call is not traced.
type Trace struct {
	ID   [16]byte
	Span [8]byte
}

// IsZero reports whether nothing is traced.
func (t Trace) IsZero() bool { return t == Trace{} }
