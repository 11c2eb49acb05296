package bench

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/load"
)

func TestAScenarioThatIsNotThereIsRefused(t *testing.T) {
	_, err := Run(context.Background(), load.Options{Scenarios: []string{"idle", "nothing"}}, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), `no scenario "nothing"; there are idle, pairs`) {
		t.Errorf("got %v", err)
	}
}

func TestAScenarioRunsOnEachServerItIsMadeFor(t *testing.T) {
	for name, tt := range map[string]struct {
		s    scenario
		o    load.Options
		want []int
	}{
		"one server by default":                   {scenario{}, load.Options{}, []int{0}},
		"each number of nodes":                    {scenario{}, load.Options{Setups: []int{0, 1, 3}}, []int{0, 1, 3}},
		"too few nodes are left out":              {scenario{least: 2}, load.Options{Setups: []int{0, 1, 3}}, []int{3}},
		"clusters are left out":                   {scenario{own: true}, load.Options{Setups: []int{0, 3}}, []int{0}},
		"a target of several nodes is a cluster":  {scenario{}, load.Options{Options: driver.Options{Target: []string{"a", "b"}}}, []int{2}},
		"a target of one node is any one server":  {scenario{}, load.Options{Options: driver.Options{Target: []string{"a"}}}, []int{0}},
		"a target is measured and nothing beside": {scenario{}, load.Options{Setups: []int{0, 3}, Options: driver.Options{Target: []string{"a"}}}, []int{0}},
	} {
		if got := setupsOf(tt.s, tt.o); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}
