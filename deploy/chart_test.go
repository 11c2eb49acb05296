package deploy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// chartHash is of all that the rendering depends on, as tools/chart computes it.
func chartHash(t *testing.T) string {
	t.Helper()
	sum := sha256.New()
	add := func(file string) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, _ := filepath.Rel("helm", file)
		fmt.Fprintf(sum, "%s %d\n%s", filepath.ToSlash(name), len(text), text)
	}
	err := filepath.WalkDir("helm/skein", func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			add(file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	add("helm/all.yaml")
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// manifest is what the tests read of what the chart renders.
type manifest struct {
	Kind string
	Spec struct {
		Template struct {
			Spec struct {
				TerminationGracePeriodSeconds int  `yaml:"terminationGracePeriodSeconds"`
				EnableServiceLinks            bool `yaml:"enableServiceLinks"`
				Containers                    []struct {
					Env []struct {
						Name, Value string
						ValueFrom   any `yaml:"valueFrom"`
					}
					Ports []struct {
						Name          string
						ContainerPort int `yaml:"containerPort"`
					}
					ReadinessProbe probe `yaml:"readinessProbe"`
					LivenessProbe  probe `yaml:"livenessProbe"`
					Lifecycle      struct {
						PreStop struct{ Sleep struct{ Seconds int } } `yaml:"preStop"`
					}
					VolumeMounts []struct {
						MountPath string `yaml:"mountPath"`
					} `yaml:"volumeMounts"`
				}
			}
		}
	}
}

type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

// rendered are the manifests that `make chart` wrote.
func rendered(t *testing.T, name string) (all []manifest) {
	t.Helper()
	text := read(t, "helm/rendered/"+name+".yaml")
	if first, _, _ := strings.Cut(text, "\n"); !strings.Contains(first, " "+chartHash(t)+";") {
		t.Errorf("helm/rendered/%s.yaml is of another chart: run make chart", name)
	}
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var m manifest
		if err := decoder.Decode(&m); err != nil {
			return all // the end; Helm and Kubernetes' types have read it before
		}
		all = append(all, m)
	}
}

// secrets are what the variables hold that the chart takes from secrets and from the pod.
var secrets = map[string]string{
	"SKEIN_NODE": "skein-0", "SKEIN_DATABASE": "postgres://skein:x@db:5432/skein", "SKEIN_BUS": "nats://u:p@nats:4222", "BUS_TOKEN": "0123456789abcdef",
}

func TestTheChartRunsNodesThatStart(t *testing.T) {
	for name, kinds := range map[string]string{
		"default": "NetworkPolicy/PodDisruptionBudget/Secret/PersistentVolumeClaim/Service/Service/StatefulSet",
		"all":     "NetworkPolicy/PodDisruptionBudget/Service/Service/HorizontalPodAutoscaler/StatefulSet/Ingress/ServiceMonitor",
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, m := range rendered(t, name) {
				got = append(got, m.Kind)
				if m.Kind == "StatefulSet" {
					checkNodes(t, name, m)
				}
			}
			if strings.Join(got, "/") != kinds {
				t.Errorf("got %v, want %s", got, kinds)
			}
		})
	}
}

func checkNodes(t *testing.T, name string, m manifest) {
	t.Helper()
	pod, c := m.Spec.Template.Spec, m.Spec.Template.Spec.Containers[0]
	env := map[string]string{}
	for _, e := range c.Env {
		if e.ValueFrom != nil {
			e.Value = secrets[e.Name]
		}
		env[e.Name] = strings.ReplaceAll(e.Value, "$(BUS_TOKEN)", env["BUS_TOKEN"])
	}
	s := settings(t, "chart, "+name, env)
	ports := map[string]string{}
	for _, p := range c.Ports {
		ports[p.Name] = fmt.Sprint(":", p.ContainerPort)
	}
	bus, _ := s.BusOf()
	if s.Addr != ports["http"] || s.AdminAddr != ports["metrics"] || bus.Listen != ports["bus"] {
		t.Errorf("got listeners %s, %s and %s, want the ports %v", s.Addr, s.AdminAddr, bus.Listen, ports)
	}
	if c.ReadinessProbe.HTTPGet.Path != "/readyz" || c.LivenessProbe.HTTPGet.Path != "/healthz" {
		t.Errorf("got probes %+v, %+v; want readiness by /readyz and liveness by /healthz", c.ReadinessProbe, c.LivenessProbe)
	}
	grace := time.Duration(pod.TerminationGracePeriodSeconds) * time.Second
	if sleep := time.Duration(c.Lifecycle.PreStop.Sleep.Seconds) * time.Second; sleep == 0 || grace < sleep+s.Drain+drainBesides {
		t.Errorf("terminationGracePeriodSeconds %v is less than preStop %v, --drain %v and %v", grace, sleep, s.Drain, drainBesides)
	}
	if pod.EnableServiceLinks {
		t.Error("enableServiceLinks: Kubernetes sets variables that begin with SKEIN_ too")
	}
	for _, dir := range []string{s.Data, s.Uploads} {
		on := false
		for _, v := range c.VolumeMounts {
			on = on || strings.HasPrefix(dir, v.MountPath+"/")
		}
		if !on {
			t.Errorf("%s is on no volume: %v", dir, c.VolumeMounts)
		}
	}
	if name == "all" && s.MaxMembers != 2_000_000 {
		t.Errorf("max-members: got %d, want 2000000 as in all.yaml", s.MaxMembers)
	}
}

// The schema of the values takes what the chart has, and refuses what cannot work.
func TestTheSchemaOfTheChartsValues(t *testing.T) {
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(read(t, "helm/skein/values.schema.json")))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("values.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("values.json")
	if err != nil {
		t.Fatal(err)
	}
	for edit, accepted := range map[string]bool{
		"{}":                                       true,
		"settings: {max-members: 5}":               true,
		"settings: {addr: ':80'}":                  false,
		"settings: {SKEIN_DRAIN: 1s}":              false,
		"settings: {drain: [1s]}":                  false,
		"bus: {mode: nats}":                        false,
		"bus: {mode: nats, urlSecret: x}":          true,
		"bus: {mode: kafka}":                       false,
		"replicaCount: 0":                          false,
		"replicas: 3":                              false,
		"database: {existingSecret: '', key: url}": false,
	} {
		var values map[string]any
		if err := yaml.Unmarshal([]byte(read(t, "helm/skein/values.yaml")), &values); err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal([]byte(edit), &values); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(plain(values)); (err == nil) != accepted {
			t.Errorf("%s: got %v, want accepted %v", edit, err, accepted)
		}
	}
}

// plain is what JSON would have: yaml reads integers as int.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case int:
		return float64(v)
	}
	return v
}
