package reference

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// typesIn11 are the types besides strings of https://yaml.org/type/, for YAML 1.1, and which
// unquoted texts have them.
var typesIn11 = map[string]*regexp.Regexp{
	"null":      regexp.MustCompile(`^(~|null|Null|NULL|)$`),
	"bool":      regexp.MustCompile(`^(y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$`),
	"int":       regexp.MustCompile(`^([-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+)$`),
	"float":     regexp.MustCompile(`^([-+]?([0-9][0-9_]*)?\.[0-9_]+([eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`),
	"timestamp": regexp.MustCompile(`^\d{4}-\d\d?-\d\d?(([Tt]|[ \t]+)\d\d?:\d\d:\d\d(\.\d*)?([ \t]*(Z|[-+]\d\d?(:\d\d)?))?)?$`),
	"merge":     regexp.MustCompile(`^<<$`),
	"value":     regexp.MustCompile(`^=$`),
}

// misread returns the strings of a document that YAML 1.1 reads as another type, with that type.
func misread(n *yaml.Node) map[string]string {
	found := map[string]string{}
	if n.Kind == yaml.ScalarNode && n.Style == 0 && n.ShortTag() == "!!str" {
		for typ, text := range typesIn11 {
			if text.MatchString(n.Value) {
				found[n.Value] = typ
			}
		}
	}
	for _, child := range n.Content {
		maps.Copy(found, misread(child))
	}
	return found
}

func TestParsersOfYAML11ReadEveryStringAsAString(t *testing.T) {
	for name, text := range mustFiles(t) {
		if strings.HasSuffix(name, ".yaml") {
			checkStrings(t, name, text)
		}
	}
	samples := []string{"on", "=", "n", "Yes", "OFF", "<<", "1:30", "017", "1_000", "0b11", "0x1F", "1.5", "2026-01-31", "2026-01-31 10:11:12", "null", "~", "", ".inf"}
	text, err := yamlOf(map[string]any{"samples": samples})
	if err != nil {
		t.Fatal(err)
	}
	checkStrings(t, "samples", text)
}

func checkStrings(t *testing.T, name string, text []byte) {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for text, typ := range misread(&doc) {
		t.Errorf("%s: the string %q is not quoted; YAML 1.1 reads a %s", name, text, typ)
	}
}
