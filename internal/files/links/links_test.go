package links_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/files/links"
)

const (
	name = "0123456789abcdef0123456789abcdef.png"
	url  = "https://im.example/storage/uploads/" + name
)

var noon = time.Date(2026, 11, 30, 12, 0, 1, 0, time.UTC)

func signer(now *time.Time) *links.Signer {
	return links.NewSigner([]byte("secret"), func() time.Time { return *now })
}

func shop() *skein.App {
	return &skein.App{ID: "shop", Settings: skein.Settings{PrivateFiles: true}.WithDefaults()}
}

// signed is the signature that Refresh gives to a link.
func signed(t *testing.T, s *links.Signer, app *skein.App) string {
	t.Helper()
	_, signature, ok := strings.Cut(string(s.Refresh(app, []byte(url))), "?"+links.Param+"=")
	if !ok {
		t.Fatal("a link was not signed")
	}
	return signature
}

func TestEveryLinkOfAnAnswerIsSignedWhateverStandsAroundIt(t *testing.T) {
	now := noon
	s := signer(&now)
	sig := links.Param + "=" + signed(t, s, shop())
	other := strings.Replace(name, "0", "f", 1)
	otherSig := strings.TrimPrefix(string(s.Refresh(shop(), []byte(skein.UploadsPath+other))), skein.UploadsPath+other+"?")
	for what, tt := range map[string]struct{ in, want string }{
		"a url":                       {`{"url":"` + url + `"}`, `{"url":"` + url + `?` + sig + `"}`},
		"a path":                      {skein.UploadsPath + name, skein.UploadsPath + name + `?` + sig},
		"two links in a text":         {url + ` and ` + skein.UploadsPath + other + `!`, url + `?` + sig + ` and ` + skein.UploadsPath + other + `?` + otherSig + `!`},
		"markdown":                    {`![a](` + url + `)`, `![a](` + url + `?` + sig + `)`},
		"an old signature":            {url + `?sig=7-aaaaaaaaaaaaaaaaaaaaaa`, url + `?` + sig},
		"an old signature among more": {url + `?w=320&sig=7-a&x=1`, url + `?` + sig + `&w=320&x=1`},
		"a width":                     {url + `?w=320`, url + `?` + sig + `&w=320`},
		"a question":                  {`did you see ` + url + `?`, `did you see ` + url + `?` + sig + `?`},
		"a fragment":                  {url + `#x`, url + `?` + sig + `#x`},
		"Chinese around it":           {`看` + url + `很好`, `看` + url + `?` + sig + `很好`},
		"signed twice":                {string(s.Refresh(shop(), []byte(url))), url + `?` + sig},
		"no link":                     {`{"text":"/storage/uploads/"}`, `{"text":"/storage/uploads/"}`},
		"a digit short":               {`/storage/uploads/` + name[1:], `/storage/uploads/` + name[1:]},
		"no extension":                {`/storage/uploads/` + name[:32], `/storage/uploads/` + name[:32]},
		"too long an extension":       {`/storage/uploads/` + name + `file`, `/storage/uploads/` + name + `file`},
		"nothing":                     {"", ""},
	} {
		if got := string(s.Refresh(shop(), []byte(tt.in))); got != tt.want {
			t.Errorf("%s: %s\ngot  %s\nwant %s", what, tt.in, got, tt.want)
		}
	}
}

func TestASignatureOpensItsFileUntilItsEndAndNothingElse(t *testing.T) {
	now := noon
	s := signer(&now)
	sig := signed(t, s, shop())
	until, err := s.Check("shop", name, sig)
	if life := until.Sub(noon); err != nil || life <= 45*time.Minute || life > time.Hour {
		t.Fatalf("a link of an hour: got %v, %v; want it to last 45 to 60 minutes", life, err)
	}
	now = until.Add(-time.Second)
	if _, err := s.Check("shop", name, sig); err != nil {
		t.Errorf("a second before its end: got %v", err)
	}
	end, proof, _ := strings.Cut(sig, "-")
	for what, tt := range map[string]struct{ app, name, sig, want string }{
		"another app":         {"shop2", name, sig, "altered"},
		"another file":        {"shop", "f" + name[1:], sig, "altered"},
		"another extension":   {"shop", name[:33] + "jpg", sig, "altered"},
		"a later end":         {"shop", name, "f" + end + "-" + proof, "altered"},
		"another proof":       {"shop", name, end + "-" + strings.Repeat("A", len(proof)), "altered"},
		"a cut proof":         {"shop", name, sig[:len(sig)-2], "altered"},
		"a longer proof":      {"shop", name, sig + "AA", "altered"},
		"no end":              {"shop", name, "-" + proof, "altered"},
		"an end out of range": {"shop", name, strings.Repeat("f", 17) + "-" + proof, "altered"},
		"no proof":            {"shop", name, end, "altered"},
		"no signature":        {"shop", name, "", "needed"},
	} {
		_, err := s.Check(tt.app, tt.name, tt.sig)
		if !errors.Is(err, skein.ErrForbidden) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %q: got %v, want a refusal that says %q", what, tt.sig, err, tt.want)
		}
	}
	if _, err := links.NewSigner([]byte("another"), time.Now).Check("shop", name, sig); !errors.Is(err, skein.ErrForbidden) {
		t.Errorf("of another installation: got %v", err)
	}
	now = until
	if _, err := s.Check("shop", name, sig); !errors.Is(err, skein.ErrForbidden) || !strings.Contains(err.Error(), "expired") {
		t.Errorf("at its end: got %v, want that it expired", err)
	}
}

func TestALinkStaysTheSameForAQuarterOfItsLife(t *testing.T) {
	now := noon
	s := signer(&now)
	first := signed(t, s, shop())
	now = noon.Add(14 * time.Minute)
	if again := signed(t, s, shop()); again != first {
		t.Errorf("14 minutes later: got %s, want %s", again, first)
	}
	now = noon.Add(15 * time.Minute)
	if again := signed(t, s, shop()); again == first {
		t.Errorf("15 minutes later: got %s again", again)
	}
	for _, life := range []int{skein.MinFileLinkLife, skein.MaxFileLinkLife} {
		app := shop()
		app.Settings.FileLinkLife = life
		until, err := s.Check("shop", name, signed(t, s, app))
		if left := until.Sub(now).Seconds(); err != nil || left < float64(life)*3/4 || left > float64(life) {
			t.Errorf("a life of %d s: got %v s, %v", life, left, err)
		}
	}
}
