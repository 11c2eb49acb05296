package access

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/recent"
)

// maxCounted bounds how many senders, keys and failed logins are counted at once.
// Who is forgotten starts with a full bucket.
const maxCounted = 100_000

// limiters count those who do the same thing.
type limiters[K comparable] = recent.Shared[K, *rate.Limiter]

// rates counts callers against the limits of their apps.
type rates struct {
	nodes   func() int // that share the rate of an app key
	sends   *limiters[sender]
	clients *limiters[sender] // by REST
	keys    *limiters[appKey]
	logins  *limiters[loginKey] // after a failure
}

type (
	sender   struct{ app, client string }
	appKey   struct{ app, key string }
	loginKey struct{ app, client, addr string }
)

// loginKeyOf is who is counted for an attempt. Ids that none can be are counted as
// one, so that what is remembered is bounded in bytes too.
func loginKeyOf(in Login) loginKey {
	k := loginKey{addr: in.Addr}
	if skein.ValidAppID(in.App) {
		k.app = in.App
	}
	if skein.ValidClientID(in.Client, true) {
		k.client = in.Client
	}
	return k
}

func newRates(nodes func() int) *rates {
	return &rates{
		nodes:   nodes,
		sends:   recent.NewShared[sender, *rate.Limiter](maxCounted),
		clients: recent.NewShared[sender, *rate.Limiter](maxCounted),
		keys:    recent.NewShared[appKey, *rate.Limiter](maxCounted),
		logins:  recent.NewShared[loginKey, *rate.Limiter](maxCounted),
	}
}

// charge counts n messages of a client.
func (r *rates) charge(by skein.Actor, n int, now time.Time) error {
	s := by.App.Settings
	if by.Server() || s.SendRate < 0 {
		return nil
	}
	return admit(r.sends, sender{by.App.ID, by.Client}, rate.Limit(s.SendRate), s.SendBurst, n, now)
}

// debit counts n messages of a client whether or not it may send so many now.
func (r *rates) debit(by skein.Actor, n int, now time.Time) {
	s := by.App.Settings
	if by.Server() || s.SendRate < 0 || n <= 0 {
		return
	}
	l := limiterOf(r.sends, sender{by.App.ID, by.Client}, rate.Limit(s.SendRate), s.SendBurst, now)
	l.ReserveN(now, min(n, l.Burst()))
}

// admitREST counts one call of an app key or of a client. A backend spreads its calls over the
// nodes, so each node admits its part of the key's rate. A client calls one node at a time and
// has its whole rate there. Apps without token authentication are for development and have no
// such limit.
func (r *rates) admitREST(by skein.Actor, now time.Time) error {
	s := by.App.Settings
	if s.Open || s.RESTRate < 0 {
		return nil
	}
	if !by.Server() {
		return admit(r.clients, sender{by.App.ID, by.Client}, rate.Limit(s.RESTRate), s.RESTRate, 1, now)
	}
	nodes := max(r.nodes(), 1)
	return admit(r.keys, appKey{by.App.ID, by.Key}, rate.Limit(s.RESTRate)/rate.Limit(nodes), max(s.RESTRate/nodes, 1), 1, now)
}

// loginLocked says whether k has failed too often, without counting.
func (r *rates) loginLocked(k loginKey, perMinute int, now time.Time) error {
	if perMinute < 0 {
		return nil
	}
	if l, failed := r.logins.Get(k); failed && l.TokensAt(now) < 1 {
		return tooManyLogins(perMinute)
	}
	return nil
}

// loginFailed counts a failure, and answers one too many. The first is free: it
// starts the count.
func (r *rates) loginFailed(k loginKey, perMinute int, now time.Time) error {
	if perMinute < 0 {
		return nil
	}
	first := false
	l := r.logins.Renew(k, func(l *rate.Limiter, counted bool) *rate.Limiter {
		if counted && l.Burst() == perMinute {
			return l
		}
		first = true // or the app's settings changed
		return rate.NewLimiter(perMinuteLimit(perMinute), perMinute)
	})
	if first || l.AllowN(now, 1) {
		return nil
	}
	return tooManyLogins(perMinute)
}

func tooManyLogins(perMinute int) error {
	return skein.Later(skein.ErrRateLimited, time.Minute/time.Duration(perMinute))
}

// loginSucceeded ends the count.
func (r *rates) loginSucceeded(k loginKey) {
	r.logins.Delete(k)
}

func perMinuteLimit(n int) rate.Limit { return rate.Limit(float64(n) / 60) }

// admit takes n of k's tokens, all of them where there are never so many, or says when
// there are enough.
func admit[K comparable](m *limiters[K], k K, limit rate.Limit, burst, n int, now time.Time) error {
	l := limiterOf(m, k, limit, burst, now)
	n = min(n, burst)
	if l.AllowN(now, n) {
		return nil
	}
	missing := max(1, float64(n)-l.TokensAt(now))
	return skein.Later(skein.ErrRateLimited, time.Duration(missing*float64(time.Second)/float64(limit)))
}

// limiterOf is k's bucket, with the limit and burst that hold now. When they change, the bucket
// keeps what is in it.
func limiterOf[K comparable](m *limiters[K], k K, limit rate.Limit, burst int, now time.Time) *rate.Limiter {
	fits := func(l *rate.Limiter) bool { return l.Limit() == limit && l.Burst() == burst }
	l, counted := m.Get(k)
	if counted && fits(l) {
		return l
	}
	return m.Renew(k, func(l *rate.Limiter, counted bool) *rate.Limiter {
		if !counted {
			return rate.NewLimiter(limit, burst)
		}
		l.SetLimitAt(now, limit)
		l.SetBurstAt(now, burst)
		return l
	})
}
