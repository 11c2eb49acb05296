package deploy

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"github.com/skein-im/skein/internal/config"
)

// settings reads an environment as `skein serve` does, and fails the test where that would refuse
// it. Each variable with our prefix must be a setting.
func settings(t *testing.T, where string, env map[string]string) config.Serve {
	t.Helper()
	var program struct {
		Serve config.Serve `cmd:""`
	}
	parser, err := kong.New(&program, config.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "SKEIN_") {
			t.Setenv(name, "") // counts as not set
		}
	}
	known := map[string]bool{}
	for _, flag := range parser.Model.Leaves(false)[0].Flags {
		known[config.EnvName(flag.Name)] = true
	}
	for name, value := range env {
		if strings.HasPrefix(name, "SKEIN_") && !known[name] {
			t.Errorf("%s: %s is no setting of skein serve", where, name)
		}
		t.Setenv(name, value)
	}
	if _, err := parser.Parse([]string{"serve"}); err != nil {
		t.Errorf("%s: skein serve refuses %v: %v", where, env, err)
	}
	return program.Serve
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	// A line that goes on is one line.
	return strings.ReplaceAll(string(text), "\\\n", " ")
}

// imageEnv is what the image sets.
func imageEnv(t *testing.T) map[string]string {
	t.Helper()
	env := map[string]string{}
	line := regexp.MustCompile(`(?m)^ENV (.+)$`).FindStringSubmatch(read(t, "Dockerfile"))
	for pair := range strings.FieldsSeq(line[1]) {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	return env
}

func TestTheImageRunsTheServerAsNobodyInParticular(t *testing.T) {
	text := read(t, "Dockerfile")
	s := settings(t, "Dockerfile", imageEnv(t))
	if !strings.HasPrefix(s.Addr, ":") || s.Data != "/var/lib/skein" {
		t.Errorf("got --addr %s, --data %s; want every address and the volume", s.Addr, s.Data)
	}
	last := text[strings.LastIndex(text, "\nFROM "):]
	for _, want := range []string{
		"\nFROM gcr.io/distroless/static-debian12:nonroot\n", "\nUSER 65532:65532\n", "\nVOLUME [\"" + s.Data + "\"]\n",
		`["/usr/local/bin/skein", "ready"]`, "\nENTRYPOINT [\"/usr/local/bin/skein\"]\n", "\nCMD [\"serve\"]\n",
	} {
		if !strings.Contains(last, want) {
			t.Errorf("the last stage of Dockerfile has no %q", want)
		}
	}
	if strings.Contains(last, "\nRUN ") {
		t.Error("the last stage of Dockerfile has a RUN: there is no shell in it")
	}
}

// The go command takes the line of the Dockerfile, for each system that images are made for. It
// compiles nothing here: the other tests do.
func TestTheBuildCommandOfTheImageIsOne(t *testing.T) {
	line := regexp.MustCompile(`go build [^\n]*`).FindString(read(t, "Dockerfile"))
	for _, variable := range []string{"main.version", "main.commit"} {
		name := strings.TrimPrefix(variable, "main.")
		if !strings.Contains(line, "-X "+variable+"=$"+strings.ToUpper(name)) || !regexp.MustCompile(`(?m)^\t`+name+` +string`).MatchString(read(t, "../cmd/skein/version.go")) {
			t.Errorf("%s does not stamp %s", line, variable)
		}
	}
	for _, arch := range []string{"amd64", "arm64"} {
		cmd := exec.Command("sh", "-c", strings.Replace(line, "go build", "go build -n", 1))
		cmd.Dir, cmd.Env = "..", append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "VERSION=v1", "COMMIT=abc")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %s: %v\n%s", arch, line, err, out[max(0, len(out)-2000):])
		}
	}
}

// What the build needs is what Dockerfile.dockerignore lets through.
func TestTheBuildGetsTheFilesItNeeds(t *testing.T) {
	allowed, refused := []string{}, []string{}
	for line := range strings.Lines(read(t, "Dockerfile.dockerignore")) {
		switch line = strings.TrimSpace(line); {
		case strings.HasPrefix(line, "!"):
			allowed = append(allowed, line[1:])
		case line != "" && line != "*" && !strings.HasPrefix(line, "#"):
			refused = append(refused, line)
		}
	}
	cmd := exec.Command("go", "list", "-deps", "-f",
		`{{if .Module}}{{if .Module.Main}}{{$d := .ImportPath}}{{range .GoFiles}}{{$d}}/{{.}} {{end}}{{range .EmbedFiles}}{{$d}}/{{.}} {{end}}{{end}}{{end}}`, "./cmd/skein")
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	files := append(strings.Fields(string(out)), "go.mod", "go.sum")
	if len(files) < 100 {
		t.Fatalf("got %d files of the server: %q", len(files), out)
	}
	matches := func(patterns []string, file string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			for part := file; part != "."; part = path.Dir(part) {
				if ok, _ := path.Match(strings.TrimPrefix(pattern, "**/"), part); ok {
					return true
				}
				if ok, _ := path.Match(strings.TrimPrefix(pattern, "**/"), path.Base(part)); ok && strings.HasPrefix(pattern, "**/") {
					return true
				}
			}
			return false
		})
	}
	for _, file := range files {
		file = strings.TrimPrefix(file, "github.com/skein-im/skein/")
		if !matches(allowed, file) || matches(refused, file) {
			t.Errorf("Dockerfile.dockerignore keeps %s from the build", file)
		}
	}
}

// compose is what the tests read of a compose file.
type compose struct {
	Services map[string]struct {
		Environment     map[string]string
		Volumes         []string
		ReadOnly        bool     `yaml:"read_only"`
		CapDrop         []string `yaml:"cap_drop"`
		SecurityOpt     []string `yaml:"security_opt"`
		StopGracePeriod string   `yaml:"stop_grace_period"`
		Networks        any
		Build           struct{ Context, Dockerfile string }
	}
	Volumes map[string]any
}

// composed reads a compose file with the variables that it requires.
func composed(t *testing.T, name string) (c compose) {
	t.Helper()
	text := regexp.MustCompile(`\$\{[A-Z_]+:\?[^}]*\}`).ReplaceAllString(read(t, name), "0123456789abcdef")
	text = regexp.MustCompile(`\$\{[A-Z_]+:-([^}]*)\}`).ReplaceAllString(text, "$1")
	if err := yaml.Unmarshal([]byte(text), &c); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return c
}

func TestComposeFilesRunNodesThatStart(t *testing.T) {
	for file, want := range map[string][]string{"compose.yaml": {"n1", "n2", "n3"}, "compose.one.yaml": {"skein"}} {
		c := composed(t, file)
		var nodes []string
		for _, name := range slices.Sorted(maps.Keys(c.Services)) {
			s := c.Services[name]
			if s.Build.Dockerfile != "deploy/Dockerfile" {
				continue
			}
			nodes = append(nodes, name)
			env := imageEnv(t)
			maps.Copy(env, s.Environment)
			got := settings(t, file+": "+name, env)
			grace, err := time.ParseDuration(s.StopGracePeriod)
			if err != nil || grace < got.Drain+drainBesides {
				t.Errorf("%s: %s: stop_grace_period %q is less than --drain %v and %v", file, name, s.StopGracePeriod, got.Drain, drainBesides)
			}
			if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) {
				t.Errorf("%s: %s: may do more than it needs", file, name)
			}
			for _, dir := range []string{got.Data, got.Uploads} {
				if dir != "" && !slices.ContainsFunc(s.Volumes, func(v string) bool { return strings.HasSuffix(v, ":"+dir) }) {
					t.Errorf("%s: %s: %s is on no volume: %v", file, name, dir, s.Volumes)
				}
			}
			if bus, err := got.BusOf(); err != nil || bus.Several() && !slices.Equal(bus.Peers, addresses(want, 6222)) {
				t.Errorf("%s: %s: got peers %v, %v; want %v", file, name, bus.Peers, err, addresses(want, 6222))
			}
		}
		if !slices.Equal(nodes, want) {
			t.Errorf("%s: got nodes %v, want %v", file, nodes, want)
		}
	}
}

// drainBesides is what a node may need beyond --drain until it has ended.
const drainBesides = 20 * time.Second

func addresses(hosts []string, port int) (all []string) {
	for _, host := range hosts {
		all = append(all, host+":"+strconv.Itoa(port))
	}
	return all
}

// The balancer sends to all nodes, asks what the nodes answer, and is the one they believe.
func TestTheBalancerOfComposeKnowsTheNodes(t *testing.T) {
	if _, err := exec.LookPath("caddy"); err != nil {
		t.Skip("no caddy: scripts/install.sh installs it")
	}
	out, err := exec.Command("caddy", "adapt", "--config", "Caddyfile").Output()
	if err != nil {
		t.Fatal(err)
	}
	var dials []string
	for _, m := range regexp.MustCompile(`"dial":"([^"]+)"`).FindAllSubmatch(out, -1) {
		dials = append(dials, string(m[1]))
	}
	if want := addresses([]string{"n1", "n2", "n3"}, 8080); !slices.Equal(dials, want) || !strings.Contains(string(out), `"uri":"/readyz"`) {
		t.Errorf("got upstreams %v, want %v and /readyz: %s", dials, want, out)
	}
	c := composed(t, "compose.yaml")
	var networks struct {
		Inside struct {
			Address string `json:"ipv4_address"`
		}
	}
	b, err := json.Marshal(c.Services["balancer"].Networks)
	if err == nil {
		err = json.Unmarshal(b, &networks)
	}
	if trusted := c.Services["n1"].Environment["SKEIN_TRUSTED_PROXIES"]; err != nil || trusted != networks.Inside.Address {
		t.Errorf("the nodes believe %q, the balancer is %q, %v", trusted, networks.Inside.Address, err)
	}
}
