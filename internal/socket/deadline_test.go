package socket

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skein-im/skein/internal/ops"
)

func TestCallsThatBeginTogetherEndTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d deadlines
		first := d.under(t.Context())
		time.Sleep(sharedFor - time.Nanosecond)
		if d.under(t.Context()) != first {
			t.Error("within a second: got another context, want the first")
		}
		time.Sleep(time.Nanosecond)
		second := d.under(t.Context())
		if second == first {
			t.Error("after a second: got the first context again")
		}
		began := time.Now()
		<-first.Done()
		if got := time.Since(began); got != ops.CallTime-sharedFor || second.Err() != nil {
			t.Errorf("the first ended after %v, the second with %v; want %v and no end", got, second.Err(), ops.CallTime-sharedFor)
		}
		<-second.Done()
		if got := time.Since(began); got != ops.CallTime || !errors.Is(second.Err(), context.DeadlineExceeded) {
			t.Errorf("the second ended after %v with %v, want %v", got, second.Err(), ops.CallTime)
		}
	})
}

func TestACallEndsWithWhatItIsOf(t *testing.T) {
	var d deadlines
	stopping, stop := context.WithCancel(t.Context())
	one, other := d.under(stopping), d.under(t.Context())
	stop()
	if !errors.Is(one.Err(), context.Canceled) || other.Err() != nil {
		t.Errorf("once one server stops: got %v and %v, want it to end alone", one.Err(), other.Err())
	}
}
