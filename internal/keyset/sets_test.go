package keyset

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
)

const address = "https://id.example/keys"

// provider answers fetches, each after it was let through.
type provider struct {
	mu     sync.Mutex
	answer string        // guarded by mu
	status int           // guarded by mu; zero: it is away
	calls  int           // guarded by mu
	let    chan struct{} // nil: every fetch is answered at once
}

func (p *provider) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	p.calls++
	let := p.let
	p.mu.Unlock()
	if let != nil {
		select {
		case <-let:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status == 0 {
		return nil, errors.New("away")
	}
	return &http.Response{StatusCode: p.status, Body: io.NopCloser(strings.NewReader(p.answer)), Header: http.Header{}}, nil
}

func (p *provider) set(status int, answer string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status, p.answer = status, answer
}

func (p *provider) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls
}

// fixture is Sets over a provider, in a bubble whose clock moves only where a test sleeps.
type fixture struct {
	*testing.T
	*Sets

	provider *provider
}

func inBubble(t *testing.T, test func(f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &fixture{T: t, provider: &provider{status: http.StatusOK, answer: setOf(jwk(edKey.Public(), "a", nil))}}
		f.Sets = New(Options{Client: &http.Client{Transport: f.provider}, Now: time.Now, Log: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry()})
		defer f.Close()
		test(f)
	})
}

// find looks for a key, and wants an error and so many fetches until now.
func (f *fixture) find(what, id string, want error, calls int) {
	f.Helper()
	found, err := f.Find(f.Context(), "shop", address, "EdDSA", id)
	synctest.Wait()
	if !errors.Is(err, want) || (found != nil) != (want == nil) || f.provider.count() != calls {
		f.Errorf("%s: got key %v, error %v, %d fetches; want error %v, %d fetches", what, found != nil, err, f.provider.count(), want, calls)
	}
}

func TestASetIsFetchedWhenItIsNeeded(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.find("the first", "a", nil, 1)
		f.find("again", "a", nil, 1)
		f.find("another app's algorithm", "b", ErrUnknownKey, 1)
		time.Sleep(pause)
		f.find("an unknown key after a pause", "b", ErrUnknownKey, 2)
		for range 100 {
			f.find("unknown keys within the pause", "c", ErrUnknownKey, 2)
		}
		f.provider.set(200, setOf(jwk(edKey.Public(), "b", nil)))
		time.Sleep(pause)
		f.find("a key that is new", "b", nil, 3)
		f.find("one that is not there any more", "a", ErrUnknownKey, 3)
	})
}

func TestAnOldSetIsUsedWhileANewOneComes(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.find("the first", "a", nil, 1)
		f.provider.set(200, setOf(jwk(edKey.Public(), "b", nil)))
		f.provider.mu.Lock()
		f.provider.let = make(chan struct{})
		f.provider.mu.Unlock()
		time.Sleep(maxAge)
		f.find("an old set", "a", nil, 2)
		f.find("during its fetch", "a", nil, 2)
		close(f.provider.let)
		synctest.Wait()
		f.find("when it came", "b", nil, 2)
		f.find("a key that was taken out", "a", ErrUnknownKey, 2)
	})
}

func TestASetThatNobodyUsedForLongIsFetchedFirst(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.find("the first", "a", nil, 1)
		f.provider.set(200, setOf(jwk(edKey.Public(), "b", nil)))
		time.Sleep(2 * maxAge)
		f.find("a key that was taken out meanwhile", "a", ErrUnknownKey, 2)
		f.provider.set(0, "")
		time.Sleep(2 * maxAge)
		f.find("a key, while the provider is away", "b", nil, 3)
	})
}

func TestAProviderThatIsAwayMakesNoKnownKeyFail(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		answer string
	}{
		"away": {0, ""}, "an error": {500, setOf(jwk(edKey.Public(), "b", nil))}, "a redirect": {302, ""}, "a page": {200, "<html>"}, "no key": {200, setOf()},
		"no usable key": {200, setOf(jwk(edKey, "a", nil))}, "thousands": {200, setOf(manyKeys(1000)...)},
	} {
		inBubble(t, func(f *fixture) {
			f.find(name+": before", "a", nil, 1)
			f.provider.set(tt.status, tt.answer)
			time.Sleep(maxAge)
			f.find(name, "a", nil, 2)
			f.find(name+", within the pause", "a", nil, 2)
			f.find(name+", an unknown key: nobody can tell", "b", skein.ErrUnavailable, 2)
			time.Sleep(100 * time.Hour)
			f.find(name+", for days", "a", nil, 3)
			f.provider.set(200, setOf(jwk(edKey.Public(), "b", nil)))
			time.Sleep(pause)
			f.find(name+", when it is back", "b", nil, 4)
		})
	}
}

func TestWithoutASetNobodyCanTell(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.provider.set(0, "")
		f.find("the first", "a", skein.ErrUnavailable, 1)
		f.find("within the pause", "a", skein.ErrUnavailable, 1)
		f.provider.set(200, setOf(jwk(edKey.Public(), "a", nil)))
		time.Sleep(pause)
		f.find("after it", "a", nil, 2)
	})
}

func TestCallersShareAFetchAndSomeWaitForIt(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.provider.let = make(chan struct{})
		var all sync.WaitGroup
		results := make(chan error, maxWaiting+3)
		for range maxWaiting {
			all.Go(func() {
				_, err := f.Find(f.Context(), "shop", address, "EdDSA", "a")
				results <- err
			})
		}
		synctest.Wait()
		f.find("one more than may wait", "a", skein.ErrUnavailable, 1)
		if found := f.Known("shop", address, "EdDSA", "a"); found != nil {
			f.Errorf("before the fetch ended: got %v, want no key", found)
		}
		close(f.provider.let)
		all.Wait()
		for range maxWaiting {
			if err := <-results; err != nil {
				f.Errorf("a caller that waited: got error %v", err)
			}
		}
		if f.Known("shop", address, "EdDSA", "a") == nil || f.Known("shop", address+"2", "EdDSA", "a") != nil || f.Known("other", address, "EdDSA", "a") != nil {
			f.Error("Known: want the key for this app and address alone")
		}
		f.find("after it", "a", nil, 1)
	})
}

func TestACallerDoesNotWaitBeyondItsContext(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.provider.let = make(chan struct{})
		ctx, cancel := context.WithTimeout(f.Context(), time.Second)
		defer cancel()
		if _, err := f.Find(ctx, "shop", address, "EdDSA", "a"); !errors.Is(err, skein.ErrUnavailable) {
			f.Errorf("got error %v, want %v", err, skein.ErrUnavailable)
		}
		close(f.provider.let)
		synctest.Wait()
		f.find("the fetch goes on without it", "a", nil, 1)
	})
}

func TestCloseEndsAFetchAndNoOtherBegins(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.provider.let = make(chan struct{})
		done := make(chan error)
		go func() {
			_, err := f.Find(f.Context(), "shop", address, "EdDSA", "a")
			done <- err
		}()
		synctest.Wait()
		f.Close()
		if err := <-done; !errors.Is(err, skein.ErrUnavailable) {
			f.Errorf("a caller that waited: got error %v, want %v", err, skein.ErrUnavailable)
		}
		time.Sleep(pause)
		f.find("after it", "a", skein.ErrUnavailable, 1)
	})
}

func TestAnotherSettingIsAnotherSet(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.find("an address", "a", nil, 1)
		if _, err := f.Find(f.Context(), "shop", setOf(jwk(edKey.Public(), "p", nil)), "EdDSA", "p"); err != nil || f.provider.count() != 1 {
			f.Errorf("a set in the settings: got error %v, %d fetches; want 1", err, f.provider.count())
		}
		if _, err := f.Find(f.Context(), "shop", setOf(jwk(edKey.Public(), "p", nil)), "EdDSA", "a"); !errors.Is(err, ErrUnknownKey) {
			f.Errorf("a key of the former set: got error %v, want %v", err, ErrUnknownKey)
		}
		f.find("the address again", "a", nil, 2)
	})
}
