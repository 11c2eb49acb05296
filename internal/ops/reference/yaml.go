package reference

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// firstKeys are the keys that come first in a mapping of a document, in this order;
// the others follow by name.
var firstKeys = []string{
	"openapi", "asyncapi", "info", "servers", "tags", "channels", "operations", "paths", "components",
	"operationId", "name", "title", "in", "action", "channel", "summary", "x-summary-zh", "description", "x-description-zh",
	"version", "get", "post", "put", "patch", "delete", "type", "required", "parameters", "requestBody", "responses",
}

// yamlOf writes a document that encodes itself as JSON.
func yamlOf(doc any) ([]byte, error) {
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("encode a document: %w", err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil { // JSON is YAML
		return nil, fmt.Errorf("read a document back: %w", err)
	}
	arrange(&root, false)
	var out bytes.Buffer
	out.WriteString("# Made from the op table by make gen. Do not edit.\n")
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(&root); err != nil {
		return nil, fmt.Errorf("write a document: %w", err)
	}
	return out.Bytes(), enc.Close()
}

// otherIn11 matches strings that YAML 1.1 reads as another type when they are not quoted, such
// as on, =, 1:30 and 2026-01-31. The encoder quotes only for YAML 1.2.
var otherIn11 = regexp.MustCompile(`^(?i:y|n|yes|no|on|off|=|<<|[-+.]?\d[-+.:_ \dabcdefxtz]*)$`)

// arrange gives every node the block style of YAML, quotes what YAML 1.1 would misread, and
// sorts the keys of mappings. The keys of examples keep their order.
func arrange(n *yaml.Node, example bool) {
	n.Style = 0
	if n.ShortTag() == "!!str" && otherIn11.MatchString(n.Value) {
		n.Style = yaml.DoubleQuotedStyle
	}
	if n.Kind == yaml.MappingNode && !example {
		arrangeKeys(n)
	}
	for i, child := range n.Content {
		inExample := n.Kind == yaml.MappingNode && i%2 == 1 && strings.HasPrefix(n.Content[i-1].Value, "example")
		arrange(child, example || inExample)
	}
}

func arrangeKeys(n *yaml.Node) {
	type pair struct{ key, value *yaml.Node }
	var pairs []pair
	for i := 0; i < len(n.Content); i += 2 {
		pairs = append(pairs, pair{n.Content[i], n.Content[i+1]})
	}
	slices.SortStableFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(rank(a.key.Value), rank(b.key.Value)), cmp.Compare(a.key.Value, b.key.Value))
	})
	n.Content = n.Content[:0]
	for _, p := range pairs {
		n.Content = append(n.Content, p.key, p.value)
	}
}

func rank(key string) int {
	if i := slices.Index(firstKeys, key); i >= 0 {
		return i
	}
	return len(firstKeys)
}
