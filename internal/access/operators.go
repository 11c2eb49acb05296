package access

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// OperatorOptions are the parts of Operators.
type OperatorOptions struct {
	Store store.Admin
	Now   func() time.Time
	Log   *slog.Logger
}

// Operators knows which operator calls. It keeps all of them in memory for appLife, so that a
// token that was ended on another node is refused within that time. Safe for concurrent use.
type Operators struct {
	opts   OperatorOptions
	afresh *rate.Limiter  // readings for tokens that were not found
	warned rate.Sometimes // of refused tokens

	mu     sync.Mutex
	holder map[[32]byte]holder // by the hash of the token; guarded by mu
	read   time.Time           // when holder was read; guarded by mu
	turn   int                 // counts Forget, so that what was read before it is not kept; guarded by mu
}

// holder is an operator and its token.
type holder struct {
	account skein.OperatorAccount
	token   skein.OperatorToken
}

// NewOperators knows the operators of a store.
func NewOperators(opts OperatorOptions) *Operators {
	return &Operators{opts: opts, afresh: rate.NewLimiter(10, 10), warned: rate.Sometimes{First: 1, Interval: time.Minute}}
}

// Forget makes the next call read the operators anew, after this node changed them.
func (o *Operators) Forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.holder = nil
	o.turn++
}

// Caller tells which operator shows the token of an Authorization header; nil: there is none.
// A token is found by its hash, so the time that this takes says nothing about other tokens.
// Errors: skein.ErrUnauthenticated.
func (o *Operators) Caller(ctx context.Context, authorization *string) (skein.OperatorCall, error) {
	none := skein.OperatorCall{}
	if authorization == nil {
		return none, skein.ErrUnauthenticated
	}
	scheme, token, _ := strings.Cut(*authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") || len(token) > maxTokenLength {
		return none, o.refuse("no bearer token")
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	hash := sha256.Sum256([]byte(strings.TrimSpace(token)))
	found, ok, err := o.find(ctx, hash)
	switch {
	case err != nil:
		return none, err
	case !ok:
		return none, o.refuse("unknown token")
	case found.token.Expires <= skein.MillisOf(o.opts.Now()):
		return none, o.refuse("token " + found.token.Name + " of operator " + found.account.Name + " is over")
	}
	return skein.OperatorCall{Account: found.account, Token: found.token.Name}, nil
}

// refuse logs why a token is refused; the caller does not learn it.
func (o *Operators) refuse(why string) error {
	o.warned.Do(func() { o.opts.Log.Warn("a call of the Admin API was refused", slog.String("reason", why)) })
	return skein.ErrUnauthenticated
}

// find is the holder of a token. What it does not find in memory may have been made on another
// node a moment ago, so it reads the store again, but not for everyone who guesses.
func (o *Operators) find(ctx context.Context, hash [32]byte) (holder, bool, error) {
	now := o.opts.Now()
	o.mu.Lock()
	found, ok := o.holder[hash]
	known, turn := o.holder != nil && trusted(o.read, now), o.turn
	o.mu.Unlock()
	if known && (ok || !o.afresh.AllowN(now, 1)) {
		return found, ok, nil
	}
	all, err := o.opts.Store.Operators(ctx)
	if err != nil {
		return holder{}, false, err
	}
	holders := make(map[[32]byte]holder, len(all))
	for _, account := range all {
		for _, token := range account.Tokens {
			holders[token.Hash] = holder{account, token}
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.turn == turn {
		o.holder, o.read = holders, now
	}
	found, ok = holders[hash]
	return found, ok, nil
}
