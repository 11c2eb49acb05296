package reference

import (
	"fmt"
	"text/template"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/skein-im/skein/internal/ops/adminrows"
)

// operatorToken is the name of the security scheme of the Admin API.
const operatorToken = "operatorToken"

// adminFiles are the files of the Admin API's reference.
func adminFiles() (map[string][]byte, error) {
	c, err := newCatalogue(adminrows.New(adminrows.Deps{}).Rows())
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	doc, err := adminDocument(c)
	if err != nil {
		return nil, err
	}
	if files["api/admin.yaml"], err = yamlOf(doc); err != nil {
		return nil, err
	}
	for path, lang := range map[string]language{"docs/api/admin.en.md": english, "docs/api/admin.zh.md": chinese} {
		if files[path], err = adminPage(c, lang); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// adminDocument is the OpenAPI document of the Admin API.
func adminDocument(c *catalogue) (*openapi3.T, error) {
	return openAPIOf(c, surface{
		title: apiTitle + " Admin API",
		about: "What the operators of an installation do. Every answer is {code, message, data, request-id}. See docs/api/admin.en.md.",
		servers: openapi3.Servers{
			{URL: exampleAdminHost, Description: "the address of --admin-addr"},
		},
		schemes: openapi3.SecuritySchemes{
			operatorToken: &openapi3.SecuritySchemeRef{Value: &openapi3.SecurityScheme{
				Type: "http", Scheme: "bearer", Description: "a token of an operator",
			}},
		},
	})
}

// adminPage is the reference of the Admin API for people in one language.
func adminPage(c *catalogue, lang language) ([]byte, error) {
	w := &writer{language: lang, objects: c.objects(nil, nil)}
	guide, err := template.New("").Option("missingkey=error").ParseFS(guides, "guide/*.tmpl")
	if err != nil {
		return nil, fmt.Errorf("read the guides: %w", err)
	}
	values := map[string]string{
		"EveryCall": numbers(operatorsCall), "Ops": w.ops(c), "Objects": w.objectTables(), "Contents": "",
	}
	file := "admin." + lang.file
	if values["Contents"], err = contents(guide, file, values); err != nil {
		return nil, err
	}
	out, err := render(guide, file, values)
	if w.err != nil {
		return nil, w.err
	}
	return out, err
}
