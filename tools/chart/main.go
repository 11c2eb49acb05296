// Command chart renders the Helm chart with Helm's own engine, reads what comes out strictly as
// Kubernetes' own types, and writes it to deploy/helm/rendered, where the tests of deploy read it. It
// is behind `make chart` and has a module of its own: Helm takes a minute and a half of CPU to build,
// so CI only checks that it was run after the last change of the chart.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/releaseutil"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	if err := run("../../deploy/helm"); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	sum, err := hashOf(dir)
	if err != nil {
		return err
	}
	c, err := loader.Load(filepath.Join(dir, "skein"))
	if err != nil {
		return err
	}
	for name, file := range map[string]string{"default": "", "all": filepath.Join(dir, "all.yaml")} {
		values := map[string]any{}
		if file != "" {
			if values, err = chartutil.ReadValuesFile(file); err != nil {
				return err
			}
		}
		out, err := render(c, values)
		if err != nil {
			return fmt.Errorf("%s values: %w", name, err)
		}
		text := "# Written by make chart of the chart " + sum + "; do not edit.\n" + out
		if err := os.WriteFile(filepath.Join(dir, "rendered", name+".yaml"), []byte(text), 0o644); err != nil { //nolint:gosec // part of the tree
			return err
		}
	}
	return nil
}

// render is what `helm template skein --namespace chat` writes, in the order of installing.
func render(c *chart.Chart, values map[string]any) (string, error) {
	options := chartutil.ReleaseOptions{Name: "skein", Namespace: "chat", Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(c, values, options, nil) // checks values.schema.json
	if err != nil {
		return "", err
	}
	files, err := engine.Engine{Strict: true}.Render(c, all)
	if err != nil {
		return "", err
	}
	for name := range files {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(files, name)
		}
	}
	_, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for _, m := range manifests {
		if err := check(m.Head.Kind, []byte(m.Content)); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", m.Name, err, m.Content)
		}
		fmt.Fprintf(&out, "---\n%s\n", strings.TrimSpace(m.Content))
	}
	return token.ReplaceAllString(out.String(), "  token: MADE-AT-INSTALL"), nil
}

// token is the secret that the chart makes, which is another each time.
var token = regexp.MustCompile(`(?m)^  token: [A-Za-z0-9+/=]+$`)

// check reads a manifest as Kubernetes does, and refuses fields that it does not know.
func check(kind string, manifest []byte) error {
	known := map[string]any{
		"StatefulSet": &apps.StatefulSet{}, "Service": &core.Service{}, "Secret": &core.Secret{}, "PersistentVolumeClaim": &core.PersistentVolumeClaim{},
		"PodDisruptionBudget": &policy.PodDisruptionBudget{}, "HorizontalPodAutoscaler": &autoscaling.HorizontalPodAutoscaler{},
		"NetworkPolicy": &networking.NetworkPolicy{}, "Ingress": &networking.Ingress{},
		"ServiceMonitor": &map[string]any{}, // of the Prometheus operator
	}
	into, ok := known[kind]
	if !ok {
		return fmt.Errorf("kind %q is not checked: add it to tools/chart", kind)
	}
	return yaml.UnmarshalStrict(manifest, into)
}

// hashOf is of all that the rendering depends on. deploy/chart_test.go computes the same.
func hashOf(dir string) (string, error) {
	sum := sha256.New()
	add := func(name string) error {
		text, err := os.ReadFile(filepath.Join(dir, name))
		fmt.Fprintf(sum, "%s %d\n%s", filepath.ToSlash(name), len(text), text)
		return err
	}
	err := filepath.WalkDir(filepath.Join(dir, "skein"), func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		return add(name)
	})
	if err == nil {
		err = add("all.yaml")
	}
	return hex.EncodeToString(sum.Sum(nil)[:16]), err
}
