package skein_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/skein-im/skein"

// anything stands for every package of the module.
const anything = "all"

// mayImport is the picture of docs/architecture.md: which packages of this module a
// package may import, "." being the domain. Change the picture first, then this,
// then the code.
var mayImport = map[string]string{
	".":                                    "",
	"cmd/skein":                            ". internal/access internal/config internal/datadir internal/dial internal/doctor internal/files internal/hooks internal/operators internal/ops internal/ops/adminrows internal/portable internal/portable/convert internal/portable/convert/leancloud internal/portable/importer internal/portable/leancloud internal/portable/leancloud/folder internal/seal internal/serve internal/store internal/store/copying internal/store/sealed internal/webhooks internal/wire/adminapi internal/wire/request internal/wire/strict",
	"cmd/skein-bench":                      "internal/bench internal/bench/driver internal/bench/load internal/bench/neighbours internal/bench/online internal/bench/report",
	"cmd/skein-cluster":                    "internal/cluster",
	"internal/access":                      ". internal/keyset internal/recent internal/store",
	"internal/bench":                       "internal/bench/driver internal/bench/ledger internal/bench/load internal/bench/neighbours internal/bench/online internal/bench/proc internal/bench/report",
	"internal/bench/curves":                "internal/bench/proc internal/bench/report",
	"internal/bench/driver":                "internal/bench/ledger internal/bench/proc internal/pgserver internal/testclient",
	"internal/bench/ledger":                "",
	"internal/bench/load":                  "internal/bench/driver internal/bench/ledger internal/bench/proc internal/bench/report",
	"internal/bench/neighbours":            "internal/bench/driver internal/bench/ledger internal/bench/load internal/bench/proc internal/bench/report",
	"internal/bench/online":                "internal/bench/driver internal/bench/ledger internal/bench/load internal/bench/proc internal/bench/report internal/testclient",
	"internal/bench/proc":                  "internal/child",
	"internal/bench/report":                "",
	"internal/bench/scale":                 "internal/bench/report",
	"internal/bus":                         ".",
	"internal/bus/bustest":                 ". internal/bus",
	"internal/bus/lossy":                   "internal/bus",
	"internal/bus/natsbus":                 ". internal/bus",
	"internal/certs":                       "",
	"internal/chat":                        ". internal/store internal/tracing",
	"internal/clock":                       "",
	"internal/child":                       "",
	"internal/cluster":                     "internal/child internal/cluster/balancer internal/pgserver",
	"internal/cluster/balancer":            "",
	"internal/config":                      "",
	"internal/console":                     ". internal/access internal/ops internal/ops/rows internal/wire web",
	"internal/datadir":                     ". internal/clock internal/config internal/files internal/files/s3 internal/seal internal/store internal/store/cache internal/store/copying internal/store/postgres internal/store/postgres/copying internal/store/sealed internal/store/sqlite internal/store/sqlite/copying internal/store/sqlite/schema internal/store/sqlite/wal",
	"internal/delivery":                    ". internal/bus internal/hub internal/recent internal/share internal/store internal/tracing internal/wire",
	"internal/dial":                        "",
	"internal/doctor":                      "internal/bus/natsbus internal/certs internal/config internal/datadir internal/files internal/operators internal/seal internal/store internal/store/postgres/facts internal/store/sealed internal/store/sqlite/schema",
	"internal/edge":                        "internal/share",
	"internal/feed":                        ". internal/store",
	"internal/files":                       ". internal/files/links internal/files/thumb internal/recent internal/share",
	"internal/files/links":                 ".",
	"internal/files/thumb":                 "",
	"internal/files/filestest":             ". internal/files",
	"internal/files/s3":                    ". internal/files",
	"internal/files/s3/s3test":             "",
	"internal/hooks":                       ". internal/dial internal/share internal/signing internal/store internal/wire internal/wire/request internal/wire/strict",
	"internal/hub":                         ". internal/share",
	"internal/keyset":                      ". internal/recent internal/share",
	"internal/node":                        ". internal/bus internal/hub internal/share internal/store",
	"internal/operators":                   ". internal/access internal/chat internal/keyset internal/portable internal/store internal/wire/adminapi internal/words",
	"internal/ops":                         ". internal/access internal/wire/strict",
	"internal/ops/adminrows":               ". internal/hooks internal/operators internal/ops internal/store internal/webhooks internal/wire internal/wire/adminapi internal/wire/strict internal/words",
	"internal/ops/reference":               ". internal/ops internal/ops/adminrows internal/ops/rows internal/wire internal/wire/adminapi internal/wire/request internal/wire/strict",
	"internal/ops/reference/gen":           "internal/ops/reference",
	"internal/ops/rows":                    ". internal/access internal/chat internal/ops internal/wire internal/wire/cursor internal/wire/request internal/wire/strict",
	"internal/pgserver":                    "internal/child",
	"internal/portable":                    ". internal/store",
	"internal/portable/convert":            ". internal/portable internal/portable/convert/sorter",
	"internal/portable/convert/leancloud":  ". internal/portable internal/portable/convert internal/portable/leancloud/folder",
	"internal/portable/convert/sorter":     "",
	"internal/portable/importer":           ". internal/portable internal/store",
	"internal/portable/leancloud":          "internal/portable/leancloud/api internal/portable/leancloud/files internal/portable/leancloud/folder internal/portable/leancloud/journal internal/portable/leancloud/progress internal/portable/leancloud/sorting",
	"internal/portable/leancloud/api":      "",
	"internal/portable/leancloud/files":    "internal/portable/leancloud/api internal/portable/leancloud/folder",
	"internal/portable/leancloud/folder":   "",
	"internal/portable/leancloud/journal":  "internal/portable/leancloud/folder",
	"internal/portable/leancloud/progress": "internal/portable/leancloud/api",
	"internal/portable/leancloud/sorting":  "internal/portable/leancloud/folder",
	"internal/portable/leancloud/standin":  "",
	"internal/presence":                    ". internal/share internal/wire",
	"internal/recent":                      "",
	"internal/rest":                        ". internal/access internal/ops internal/rest/httpx internal/share internal/tracing internal/wire internal/wire/request internal/wire/strict",
	"internal/rest/httpx":                  ". internal/wire internal/wire/strict",
	"internal/seal":                        "",
	"internal/serve":                       anything,
	"internal/share":                       "internal/recent",
	"internal/signin":                      ". internal/operators internal/recent internal/rest/httpx internal/wire",
	"internal/signing":                     ".",
	"internal/socket":                      ". internal/access internal/hub internal/node internal/ops internal/ops/rows internal/rest/httpx internal/share internal/socket/admission internal/socket/frame internal/store internal/tracing internal/wire internal/wire/request internal/wire/strict",
	"internal/socket/admission":            ". internal/share",
	"internal/socket/frame":                "",
	"internal/store":                       ".",
	"internal/store/cache":                 ". internal/store",
	"internal/store/copying":               "",
	"internal/store/moves":                 "",
	"internal/store/pace":                  "",
	"internal/store/postgres":              ". internal/store internal/store/pace internal/store/postgres/admin internal/store/postgres/committer internal/store/postgres/engine internal/store/postgres/feed internal/store/postgres/inbox internal/store/postgres/messages internal/store/postgres/purge internal/store/postgres/query internal/store/postgres/sessions internal/store/postgres/transfer internal/store/postgres/tx internal/store/postgres/uploads internal/store/rows",
	"internal/store/postgres/admin":        ". internal/store internal/store/postgres/tx internal/store/rows",
	"internal/store/postgres/committer":    ". internal/share internal/store internal/store/pace internal/store/postgres/engine internal/store/postgres/tx internal/store/rows",
	"internal/store/postgres/copying":      "internal/store/copying internal/store/postgres/engine internal/store/rows",
	"internal/store/postgres/engine":       ". internal/share internal/store/postgres/migrations",
	"internal/store/postgres/facts":        "internal/store/postgres/engine",
	"internal/store/postgres/feed":         ". internal/store internal/store/postgres/engine internal/store/postgres/tx internal/store/rows",
	"internal/store/postgres/inbox":        ". internal/store internal/store/moves internal/store/postgres/engine internal/store/postgres/tx internal/store/rows",
	"internal/store/postgres/messages":     ". internal/store internal/store/postgres/engine internal/store/postgres/tx internal/store/rows",
	"internal/store/postgres/migrations":   "",
	"internal/store/postgres/pgtest":       "internal/pgserver",
	"internal/store/postgres/purge":        ". internal/store internal/store/postgres/engine internal/store/postgres/tx internal/store/rows",
	"internal/store/postgres/query":        ". internal/store internal/store/moves internal/store/postgres/engine internal/store/postgres/tx internal/store/rows",
	"internal/store/postgres/sessions":     ". internal/share internal/store internal/store/postgres/engine internal/store/postgres/tx internal/store/sessions",
	"internal/store/postgres/transfer":     ". internal/store internal/store/postgres/engine internal/store/postgres/tx internal/store/rows internal/store/transfer",
	"internal/store/postgres/tx":           ". internal/store internal/store/moves internal/store/postgres/engine internal/store/rows",
	"internal/store/postgres/uploads":      ". internal/store internal/store/postgres/engine internal/store/postgres/tx internal/store/rows",
	"internal/store/rows":                  ". internal/store",
	"internal/store/sealed":                ". internal/seal internal/store",
	"internal/store/sessions":              ". internal/store",
	"internal/store/sqlite":                ". internal/store internal/store/rows internal/store/sessions internal/store/sqlite/admin internal/store/sqlite/engine internal/store/sqlite/feed internal/store/sqlite/inbox internal/store/sqlite/messages internal/store/sqlite/query internal/store/sqlite/schema internal/store/sqlite/transfer internal/store/sqlite/tx internal/store/sqlite/uploads",
	"internal/store/sqlite/admin":          ". internal/store internal/store/rows internal/store/sqlite/engine internal/store/sqlite/tx",
	"internal/store/sqlite/copying":        "internal/store/copying internal/store/rows internal/store/sqlite/engine internal/store/sqlite/schema internal/store/sqlite/tx",
	"internal/store/sqlite/engine":         ". internal/share internal/store/pace internal/store/sqlite/wal",
	"internal/store/sqlite/feed":           ". internal/store internal/store/rows internal/store/sqlite/engine internal/store/sqlite/tx",
	"internal/store/sqlite/inbox":          ". internal/store internal/store/moves internal/store/rows internal/store/sqlite/engine internal/store/sqlite/tx",
	"internal/store/sqlite/messages":       ". internal/store internal/store/rows internal/store/sqlite/engine internal/store/sqlite/tx",
	"internal/store/sqlite/migrations":     "",
	"internal/store/sqlite/query":          ". internal/store internal/store/moves internal/store/rows internal/store/sqlite/engine internal/store/sqlite/tx",
	"internal/store/sqlite/schema":         "internal/store/sqlite/engine internal/store/sqlite/migrations internal/store/sqlite/wal",
	"internal/store/sqlite/schema/plans":   "internal/store/sqlite/engine internal/store/sqlite/schema",
	"internal/store/sqlite/sqlitetest":     "internal/store/sqlite/schema",
	"internal/store/sqlite/transfer":       ". internal/store internal/store/rows internal/store/sqlite/engine internal/store/sqlite/tx internal/store/transfer",
	"internal/store/sqlite/tx":             ". internal/store internal/store/moves internal/store/rows internal/store/sqlite/engine",
	"internal/store/sqlite/uploads":        ". internal/store/sqlite/engine internal/store/sqlite/tx",
	"internal/store/sqlite/wal":            "",
	"internal/store/storetest":             ". internal/store",
	"internal/store/transfer":              ". internal/store internal/store/rows",
	"internal/testclient":                  "",
	"internal/tracing":                     ".",
	"internal/upkeep":                      ". internal/store",
	"internal/usage":                       ". internal/store",
	"internal/webhooks":                    ". internal/dial internal/feed internal/signing internal/store internal/wire",
	"internal/wire":                        ". internal/wire/cursor internal/wire/strict",
	"internal/wire/adminapi":               ". internal/wire/strict",
	"internal/wire/cursor":                 ".",
	"internal/wire/request":                ". internal/wire internal/wire/cursor internal/wire/strict",
	"internal/wire/strict":                 ".",
	"internal/words":                       ". internal/share",
	"bench":                                "internal/testclient",
	"chaos":                                anything,
	"deploy":                               "internal/config",
	"e2e":                                  "internal/child internal/testclient",
	"web":                                  "",
}

// testsMayImport is what tests may use besides: contract suites, a real engine, the use
// cases behind a real op table, and what stands in for other people's servers.
var testsMayImport = []string{
	"internal/chat", "internal/share", "internal/words",
	"internal/bus", "internal/bus/bustest", "internal/bus/lossy", "internal/store", "internal/store/sessions", "internal/store/storetest",
	"internal/store/postgres", "internal/store/postgres/engine", "internal/store/postgres/pgtest", "internal/store/rows",
	"internal/store/sqlite", "internal/store/sqlite/engine", "internal/store/sqlite/migrations", "internal/store/sqlite/sqlitetest",
	"internal/store/sqlite/schema/plans", "internal/store/sqlite/wal",
	"internal/ops/rows", "internal/portable/leancloud/standin", "internal/wire/cursor",
	"internal/files/filestest", "internal/files/s3/s3test",
}

// vague are file names that say nothing about what is in the file.
var vague = []string{"util", "utils", "common", "helper", "helpers", "manager", "misc"}

// imports are what one file imports.
type imports struct {
	file  string // from the root of the repository
	paths []string
}

func (i imports) pkg() string  { return path.Dir(i.file) }
func (i imports) isTest() bool { return strings.HasSuffix(i.file, "_test.go") }

// sources are all Go files of the module, those for other systems too.
func sources(t *testing.T) []imports {
	t.Helper()
	var all []imports
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "tools" || d.Name() == "testdata" || strings.HasPrefix(name, ".") && name != "."):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		found := imports{file: name}
		for _, spec := range file.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			found.paths = append(found.paths, p)
		}
		all = append(all, found)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// local is a path inside the module as mayImport has it; ok is false for others.
func local(importPath string) (name string, ok bool) {
	if importPath == module {
		return ".", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

func TestImports(t *testing.T) {
	for _, source := range sources(t) {
		allowed, known := mayImport[source.pkg()]
		if !known {
			t.Errorf("%s: package %s has no line in the picture", source.file, source.pkg())
			continue
		}
		for _, p := range source.paths {
			name, inside := local(p)
			if inside && !allows(allowed, source, name) {
				t.Errorf("%s imports %s; the picture lets %s import only %q", source.file, name, source.pkg(), allowed)
			}
		}
	}
}

func allows(allowed string, source imports, name string) bool {
	return allowed == anything || slices.Contains(strings.Fields(allowed), name) ||
		source.isTest() && (name == source.pkg() || slices.Contains(testsMayImport, name))
}

// notServed are packages of tools and tests, which the server's binary does not carry.
var notServed = []string{
	"internal/bench", "internal/bus/bustest", "internal/ops/reference", "internal/portable/leancloud/standin",
	"internal/store/sqlite/sqlitetest", "internal/store/storetest", "internal/testclient",
}

func TestTheServerCarriesNoToolsAndNoTests(t *testing.T) {
	for _, source := range sources(t) {
		if source.isTest() || slices.ContainsFunc(notServed, func(tool string) bool { return within(source.pkg(), tool) }) || source.pkg() == "cmd/skein-bench" {
			continue
		}
		for _, p := range source.paths {
			name, _ := local(p)
			if slices.ContainsFunc(notServed, func(tool string) bool { return within(name, tool) }) {
				t.Errorf("%s imports %s", source.file, name)
			}
		}
	}
}

func within(pkg, parent string) bool { return pkg == parent || strings.HasPrefix(pkg, parent+"/") }

func TestTheDomainImportsTheStandardLibraryAlone(t *testing.T) {
	for _, source := range sources(t) {
		if source.pkg() != "." || source.isTest() {
			continue
		}
		for _, p := range source.paths {
			if first, _, _ := strings.Cut(p, "/"); strings.Contains(first, ".") {
				t.Errorf("%s imports %s", source.file, p)
			}
		}
	}
}

func TestFileNamesSayWhatIsInside(t *testing.T) {
	for _, source := range sources(t) {
		name := strings.TrimSuffix(strings.TrimSuffix(path.Base(source.file), ".go"), "_test")
		if slices.Contains(vague, name) || slices.Contains(vague, path.Base(source.pkg())) {
			t.Errorf("%s: the name says nothing; call it after the noun or verb inside", source.file)
		}
	}
}

// The table in the docs and the one above are the same.
func TestThePictureIsDrawn(t *testing.T) {
	const file = "docs/architecture.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	drawn := map[string]string{}
	for line := range strings.Lines(string(text)) {
		// | `package` | what it is | imports |
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) == 5 && strings.HasPrefix(cells[1], " `") {
			drawn[strings.Trim(cells[1], " `")] = strings.ReplaceAll(strings.TrimSpace(cells[3]), "`", "")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(mayImport)) {
		if got, ok := drawn[name]; !ok || got != mayImport[name] {
			t.Errorf("%s: %s: got %q, want %q", file, name, got, mayImport[name])
		}
		delete(drawn, name)
	}
	for name := range drawn {
		t.Errorf("%s: %s is no package of the table in arch_test.go", file, name)
	}
}
