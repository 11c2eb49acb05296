package doctor

import (
	"testing"
	"testing/fstest"

	"github.com/skein-im/skein/internal/config"
)

// rootOf makes a file system of texts.
func rootOf(texts map[string]string) fstest.MapFS {
	all := fstest.MapFS{}
	for name, text := range texts {
		all[name] = &fstest.MapFile{Data: []byte(text + "\n")}
	}
	return all
}

func TestLimitsOfControlGroupsAreRead(t *testing.T) {
	for name, tt := range map[string]struct {
		files       map[string]string
		environment []string
		want        confines
	}{
		"no control group": {nil, nil, confines{}},
		"version 1 alone":  {map[string]string{"proc/7/cgroup": "4:memory:/a", "sys/fs/cgroup/a/memory.max": "1000"}, nil, confines{}},
		"a container": {
			map[string]string{"proc/7/cgroup": "0::/", "sys/fs/cgroup/memory.max": "1073741824", "sys/fs/cgroup/cpu.max": "150000 100000"}, nil,
			confines{memory: 1 << 30, cpus: 1.5},
		},
		"no limit": {map[string]string{"proc/7/cgroup": "0::/a", "sys/fs/cgroup/a/memory.max": "max", "sys/fs/cgroup/a/cpu.max": "max 100000"}, nil, confines{}},
		"the least of the groups around it": {
			map[string]string{
				"proc/7/cgroup": "1:name=systemd:/x\n0::/a/b", "sys/fs/cgroup/a/b/memory.max": "2000", "sys/fs/cgroup/a/memory.max": "1000",
				"sys/fs/cgroup/a/b/cpu.max": "50000 100000", "sys/fs/cgroup/a/cpu.max": "400000 100000",
			}, nil,
			confines{memory: 1000, cpus: 0.5},
		},
		"what Go is told":     {nil, []string{"A=1", "GOMEMLIMIT=900MiB", "GOMAXPROCS=4"}, confines{goMemory: 900 << 20, goProcs: 4}},
		"a limit in bytes":    {nil, []string{"GOMEMLIMIT=1024B"}, confines{goMemory: 1024}},
		"GOMEMLIMIT is off":   {nil, []string{"GOMEMLIMIT=off"}, confines{}},
		"what Go cannot read": {nil, []string{"GOMEMLIMIT=9999999999TiB", "GOMAXPROCS=many"}, confines{}},
	} {
		if got := readConfines(rootOf(tt.files), "7", tt.environment); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
		}
	}
}

func TestAServerThatDoesNotFitItsControlGroupIsFound(t *testing.T) {
	for name, tt := range map[string]struct {
		confines confines
		check    string // empty: nothing is found
	}{
		"no limit":                           {confines{}, ""},
		"Go is not told of the memory":       {confines{memory: 1 << 30}, "memory limit"},
		"Go is told":                         {confines{memory: 1 << 30, goMemory: 900 << 20}, ""},
		"Go is told of too much":             {confines{memory: 1 << 30, goMemory: 1 << 30}, "memory limit"},
		"the cache does not fit":             {confines{memory: 300 << 20, goMemory: 200 << 20}, "memory limit"},
		"a limit of cores that Go follows":   {confines{cpus: 1.5}, ""},
		"GOMAXPROCS within the limit":        {confines{cpus: 1.5, goProcs: 2}, ""},
		"GOMAXPROCS beyond the limit":        {confines{cpus: 1.5, goProcs: 3}, "CPU limit"},
		"a part of a core":                   {confines{cpus: 0.5}, "CPU limit"},
		"a setting of Go without any limits": {confines{goMemory: 1 << 30, goProcs: 64}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var e examination
			var s config.Serve
			s.CacheMiB = 128
			e.confined(tt.confines, s)
			wantFinding(t, e, tt.check, Warn)
		})
	}
}
