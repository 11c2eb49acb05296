package config

import "fmt"

// Edge bounds what callers can hold of the server. docs/operations.md says what happens
// beyond each bound and lists the bounds without a setting. Negative: no bound.
type Edge struct {
	MaxSockets               int `group:"settings" default:"0" placeholder:"N" help:"Most open sockets; 0 is as many as the limit of open files allows."`
	MaxConnectionsPerAddress int `group:"settings" default:"512" placeholder:"N" help:"Most open HTTP connections of one address; sockets are not counted."`
	MaxUploads               int `group:"settings" default:"512" placeholder:"N" help:"Most uploads at a time; one app may have half of them."`
	MaxUnfinishedMiB         int `group:"settings" name:"max-unfinished-mib" default:"64" placeholder:"MIB" help:"Memory, in MiB, for socket messages that have not arrived whole; one app may have half of it."`
	MaxUnreadMiB             int `group:"settings" name:"max-unread-mib" default:"256" placeholder:"MIB" help:"Most memory, in MiB, for frames that clients have not read yet."`
	ThumbnailMiB             int `group:"settings" name:"thumbnail-mib" default:"320" placeholder:"MIB" help:"Most memory, in MiB, for decoding images for thumbnails; 0: there are no thumbnails."`
	MinFreeMiB               int `group:"settings" name:"min-free-mib" default:"-1" placeholder:"MIB" help:"Free disk space, in MiB, below which uploads are refused; -1 is a twentieth of the disk, at most 1 GiB."`
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
		{"--thumbnail-mib", e.ThumbnailMiB},
	} {
		if n.value > most {
			return fmt.Errorf("%s: %d is not up to %d", n.flag, n.value, most)
		}
	}
	if e.ThumbnailMiB < 0 {
		return fmt.Errorf("--thumbnail-mib: %d is less than nothing", e.ThumbnailMiB)
	}
	return nil
}
