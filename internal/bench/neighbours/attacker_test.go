package neighbours

import (
	"bytes"
	"context"
	"os/exec"
	"strings"
	"testing"

	"github.com/skein-im/skein/internal/bench/proc"
)

func TestAnAttackerHasTheLowestPriority(t *testing.T) {
	own, err := exec.Command("nice").Output()
	if err != nil {
		t.Fatal(err)
	}
	command := proc.Lowest("nice")
	got, err := exec.Command(command[0], command[1:]...).Output()
	if err != nil {
		t.Fatal(err)
	}
	if string(got) == string(own) && strings.TrimSpace(string(got)) != "19" {
		t.Errorf("%q: niceness %s, that of this process; want 19 more", command, got)
	}
}

func TestTheHandlesOfAServerAreBoundBeforeItBegins(t *testing.T) {
	for n, want := range map[uint64]string{64: "64", 0: "more"} {
		command := proc.Handling(n, "sh", "-c", "ulimit -n")
		out, err := exec.Command(command[0], command[1:]...).Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(string(out)); (got == "64") != (want == "64") {
			t.Errorf("%q: got %s handles, want %s", command, got, want)
		}
	}
}

func TestAnAttackerTakesOneOrder(t *testing.T) {
	for said, want := range map[string]string{
		"":                         "no order",
		"attack!\n":                "order: invalid",
		`{"attack":"none"}` + "\n": `no attack "none"`,
	} {
		err := Attacker(context.Background(), strings.NewReader(said), &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", said, err, want)
		}
	}
}
