package config

import "fmt"

// Edge bounds what callers can hold of the server; docs/operations.md says what
// happens beyond each bound, and what has one without a setting. Negative: no bound.
type Edge struct {
	MaxSockets               int `group:"settings" default:"0" placeholder:"N" help:"Open sockets; 0: as many as the limit of open files leaves room for."`
	MaxConnectionsPerAddress int `group:"settings" default:"512" placeholder:"N" help:"Open HTTP connections of one address, without sockets."`
	MaxUploads               int `group:"settings" default:"512" placeholder:"N" help:"Uploads under way at once; one app gets half."`
	MaxUnfinishedMiB         int `group:"settings" name:"max-unfinished-mib" default:"64" placeholder:"MIB" help:"Memory of socket messages that have not come whole; one app gets half."`
	MaxUnreadMiB             int `group:"settings" name:"max-unread-mib" default:"256" placeholder:"MIB" help:"Bytes that wait for all sockets to read them."`
	MinFreeMiB               int `group:"settings" name:"min-free-mib" default:"-1" placeholder:"MIB" help:"Space of the disk that uploads leave free; -1: a twentieth of it, 1 GiB at most."`
}

func (e Edge) check() error {
	const most = 1 << 20 // a tebibyte
	for _, n := range []struct {
		flag  string
		value int
	}{
		{"--max-unfinished-mib", e.MaxUnfinishedMiB},
		{"--max-unread-mib", e.MaxUnreadMiB},
		{"--min-free-mib", e.MinFreeMiB},
	} {
		if n.value > most {
			return fmt.Errorf("%s: %d is not up to %d", n.flag, n.value, most)
		}
	}
	return nil
}
