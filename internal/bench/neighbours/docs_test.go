package neighbours

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestTheDocumentDescribesEachAttackInTheSameWords(t *testing.T) {
	const file = "../../../docs/performance.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range attacks {
		if row := fmt.Sprintf("\n| **%s**: %s |", a.name, a.about); !strings.Contains(string(text), row) {
			t.Errorf("%s has no row that begins %q", file, row[1:])
		}
	}
}
