package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readFile reads a YAML mapping of known names to single values. What it cannot
// take is an error that says where in the file it stands.
func readFile(path string, known map[string]bool) (map[string]string, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the operator says which file
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	values, err := parse(text, known)
	if err != nil {
		return nil, fmt.Errorf("--config %s: %w", path, err)
	}
	return values, nil
}

func parse(text []byte, known map[string]bool) (map[string]string, error) {
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return map[string]string{}, nil // an empty file sets nothing
	} else if err != nil {
		return nil, err
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("holds more than one document")
	}
	return settingsOf(document.Content[0], known)
}

func settingsOf(mapping *yaml.Node, known map[string]bool) (map[string]string, error) {
	values := map[string]string{}
	if mapping.Tag == "!!null" {
		return values, nil // no line but comments
	}
	if mapping.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: not a list of `name: value`", mapping.Line)
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		if err := fault(key.Value, value, known, values); err != nil {
			return nil, fmt.Errorf("line %d: %w", key.Line, err)
		}
		values[key.Value] = value.Value
	}
	return values, nil
}

// fault says why the key cannot be taken, or nil.
func fault(key string, value *yaml.Node, known map[string]bool, before map[string]string) error {
	_, again := before[key]
	switch {
	case !known[key]:
		return fmt.Errorf("unknown key %q; known are %s", key, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	case key == "config":
		return errors.New("config: a file cannot name another")
	case again:
		return fmt.Errorf("%s: stands here a second time", key)
	case value.Kind != yaml.ScalarNode:
		return fmt.Errorf("%s: takes a single value", key)
	case value.Tag == "!!null":
		return fmt.Errorf("%s: has no value", key)
	}
	return nil
}
