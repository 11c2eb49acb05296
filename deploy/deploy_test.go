// Package deploy holds what operators install beside the server. Its test keeps the
// dashboard and the alerts in step with the server's metrics and with docs/operations.md, and the
// images and the chart in step with its settings.
package deploy

import (
	"encoding/json"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// declared are the metrics whose names are in the server's source.
func declared(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{"up": true, "process_cpu_seconds_total": true, "process_resident_memory_bytes": true}
	literal := regexp.MustCompile(`"(skein_[a-z_]+)"`)
	err := fs.WalkDir(os.DirFS("../internal"), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile("../internal/" + path)
		for _, m := range literal.FindAllSubmatch(text, -1) {
			names[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// wantDeclared reports metrics of an expression that the server does not have.
func wantDeclared(t *testing.T, known map[string]bool, expr string) {
	t.Helper()
	found := regexp.MustCompile(`\b(?:skein|process)_[a-z_]+\b|^up\b`).FindAllString(expr, -1)
	if len(found) == 0 {
		t.Errorf("%s: names no metric", expr)
	}
	for _, name := range found {
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			name = strings.TrimSuffix(name, suffix)
		}
		if !known[name] {
			t.Errorf("%s: the server has no metric %s", expr, name)
		}
	}
}

func TestTheDashboardShowsMetricsThatExist(t *testing.T) {
	text, err := os.ReadFile("grafana-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Type, Title string
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	known := declared(t)
	for _, p := range dashboard.Panels {
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %q shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			wantDeclared(t, known, target.Expr)
		}
	}
}

func TestEachAlertIsAboutAMetricAndSaysWhatToDo(t *testing.T) {
	text, err := os.ReadFile("alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr         string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	anchors := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(string(page), -1) {
		anchors["docs/operations.md#"+strings.ReplaceAll(strings.ToLower(m[1]), " ", "-")] = true
	}
	known := declared(t)
	for _, rule := range file.Groups[0].Rules {
		wantDeclared(t, known, rule.Expr)
		if rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" {
			t.Errorf("%s: has no severity or no summary", rule.Alert)
		}
		if at := rule.Annotations["runbook"]; !anchors[at] {
			t.Errorf("%s: %q is no section of docs/operations.md", rule.Alert, at)
		}
	}
}
