package serve

import (
	"testing"

	"github.com/skein-im/skein/internal/config"
)

func TestHandlesAreDividedSoThatAllFit(t *testing.T) {
	for name, tt := range map[string]struct {
		limit int
		edge  config.Edge
		want  handles
	}{
		"a small limit":      {1024, config.Edge{MaxUploads: 512}, handles{768, 672, 168, 64, 128}},
		"a usual limit":      {20_000, config.Edge{MaxUploads: 512}, handles{17_952, 16_928, 4232, 512, 1024}},
		"a large limit":      {1 << 20, config.Edge{MaxUploads: 512}, handles{1_046_528, 1_045_504, 261_376, 512, 1024}},
		"no known limit":     {0, config.Edge{MaxUploads: 512}, handles{-1, -1, -1, 512, 0}},
		"fewer sockets":      {20_000, config.Edge{MaxUploads: 512, MaxSockets: 100}, handles{17_952, 100, 25, 512, 1024}},
		"more than there is": {1024, config.Edge{MaxUploads: -1, MaxSockets: 5000}, handles{768, 672, 168, 64, 128}},
		"no bound asked":     {1024, config.Edge{MaxUploads: 512, MaxSockets: -1}, handles{768, -1, -1, 64, 128}},
	} {
		if got := divide(tt.limit, tt.edge); got != tt.want {
			t.Errorf("%s: %d, %+v: got %+v, want %+v", name, tt.limit, tt.edge, got, tt.want)
		}
	}
}
