package reference

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
)

// detailAt is which argument of a function is the detail of a fault.
var detailAt = map[string]int{"Malformed": 1, "fail": 0, "refused": 0, "tooOld": 0}

// TestEveryDetailOfAnErrorIsInBothLanguages walks the code for the details of faults.
func TestEveryDetailOfAnErrorIsInBothLanguages(t *testing.T) {
	found := 0
	for file, details := range detailsInCode(t) {
		for _, detail := range details {
			found++
			err := skein.Malformed("field", strings.ReplaceAll(detail, "%s", "7"))
			en, zh := wire.Text(err, wire.English), wire.Text(err, wire.Chinese)
			if _, said, _ := strings.Cut(zh, "field: "); strings.IndexFunc(said, func(r rune) bool { return r > 0x2e80 }) < 0 {
				t.Errorf("%s: %q has no Chinese: add it to the table in internal/wire/details.go (English %q, Chinese %q)", file, detail, en, zh)
			}
		}
	}
	if found < 80 {
		t.Errorf("only %d details were found in the code", found)
	}
}

// riddle are phrases that a caller would have to ask about.
var riddle = regexp.MustCompile(`\b(is no|is none|stands|handed out|another one|of one mind|can be held|no more|goes on)\b`)

func TestADetailOfAnErrorSaysTheRuleInPlainWords(t *testing.T) {
	for file, details := range detailsInCode(t) {
		for _, detail := range details {
			if riddle.MatchString(detail) && !strings.HasPrefix(path.Base(path.Dir(file)), "sqlite") {
				t.Errorf("%s: %q: say which rule the value breaks, such as a bound", file, detail)
			}
		}
	}
	for detail, want := range map[error]string{
		skein.Malformed("client_ids", "at most 500"):    "malformed parameter: client_ids: at most 500",
		skein.Malformed("cursor", "invalid or expired"): "malformed parameter: cursor: invalid or expired",
		skein.Malformed("attr.n", "out of range"):       "malformed parameter: attr.n: out of range",
	} {
		if got := wire.Text(detail, wire.English); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// detailsInCode are the details of faults by file; what is put in at run time is %s.
// Those of an import are left out: operators read them in its report, nobody by the API.
func detailsInCode(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	root := os.DirFS("../../..")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := path.Base(name); name != "." && (strings.HasPrefix(base, ".") || slices.Contains([]string{"bench", "reference", "storetest", "tools", "chaos", "e2e", "testdata", "portable"}, base)) {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(path.Base(name), "import") {
			return nil
		}
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if text := pattern(detailOf(n)); strings.Trim(text, "%s ") != "" {
				found[name] = append(found[name], text)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// detailOf is the expression of a fault's detail; nil: n makes no fault.
func detailOf(n ast.Node) ast.Expr {
	switch n := n.(type) {
	case *ast.CallExpr:
		name := ""
		switch f := n.Fun.(type) {
		case *ast.Ident:
			name = f.Name
		case *ast.SelectorExpr:
			name = f.Sel.Name
		}
		if at, known := detailAt[name]; known && len(n.Args) == at+1 {
			return n.Args[at]
		}
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Detail" {
			return n.Value
		}
	}
	return nil
}

// pattern is a text with %s for what is not a literal in it.
func pattern(e ast.Expr) string {
	switch e := e.(type) {
	case nil:
		return ""
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		if err != nil || e.Kind != token.STRING {
			return "%s"
		}
		return text
	case *ast.BinaryExpr:
		return pattern(e.X) + pattern(e.Y)
	case *ast.ParenExpr:
		return pattern(e.X)
	default:
		return "%s"
	}
}
