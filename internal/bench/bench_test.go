package bench

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/skein-im/skein/internal/bench/load"
)

func TestAScenarioThatIsNotThereIsRefused(t *testing.T) {
	_, err := Run(context.Background(), load.Options{Scenarios: []string{"idle", "nothing"}}, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), `no scenario "nothing"; there are idle, pairs`) {
		t.Errorf("got %v", err)
	}
}
