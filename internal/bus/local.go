package bus

import "sync"

// Local is the bus of a single node: a call within the process.
type Local struct {
	mu       sync.RWMutex
	handlers map[int]func(Event) // guarded by mu
	next     int                 // guarded by mu
}

// NewLocal is a bus without other nodes.
func NewLocal() *Local { return &Local{handlers: make(map[int]func(Event))} }

// Publish calls every handler, in the caller's goroutine.
func (b *Local) Publish(e Event) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, handle := range b.handlers {
		handle(e)
	}
}

// Subscribe adds a handler; stop must not be called from within it.
func (b *Local) Subscribe(handle func(Event)) (stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := b.next
	b.next++
	b.handlers[id] = handle
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.handlers, id)
	}
}
