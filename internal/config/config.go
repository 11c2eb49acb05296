// Package config holds what an operator can set, where each setting comes from
// and whether it makes sense. It knows the command-line library and nothing else
// of the server.
//
// A setting has one name in three places: the flag --public-url, the environment
// variable SKEIN_PUBLIC_URL and the key public-url of the file that --config
// names. Flag beats environment beats file; an empty variable is none.
package config

import (
	"log/slog"
	"net/netip"
	"strings"
	"time"
	_ "time/tzdata" // --timezone works on machines without a zone database
)

// Store says where apps, clients and messages are kept. Every command that works
// on them embeds it; doing so is also what makes it read environment and file.
type Store struct {
	Config   string `group:"settings" placeholder:"FILE" help:"YAML file with these settings, named as here without the dashes."`
	Data     string `group:"settings" default:"./data" placeholder:"DIR" help:"Directory of the embedded store and of uploads; created with mode 0700."`
	Database string `group:"settings" default:"sqlite" placeholder:"URL" help:"Where everything is kept: sqlite, in --data."`
}

// Serve is the configuration of a server.
type Serve struct {
	Store
	Limits
	Edge

	Dev            bool          `group:"settings" help:"Seed the open demo app 666666 (app-key master) and its clients; loopback addresses only."`
	Addr           string        `group:"settings" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address of REST, socket, files and page."`
	AdminAddr      string        `group:"settings" default:"127.0.0.1:9090" placeholder:"HOST:PORT" help:"Address of /metrics and /debug/pprof; keep it private."`
	Bus            string        `group:"settings" default:"in-process" placeholder:"URL" help:"What carries events between nodes: in-process, for a single node."`
	PublicURL      string        `group:"settings" name:"public-url" placeholder:"URL" help:"Where the server is reached, with the path of a proxy if there is one: prefix of the file links that are handed out. Without it: what a trusted proxy says, or the address of the listener."`
	TrustedProxies []string      `group:"settings" sep:"," placeholder:"CIDR,…" help:"Addresses of proxies whose X-Forwarded-For, -Proto, -Host and -Prefix are believed; nobody's by default."`
	ProxyProtocol  bool          `group:"settings" help:"Trusted proxies begin each connection with a header of the PROXY protocol, version 2."`
	Drain          time.Duration `group:"settings" default:"10s" placeholder:"TIME" help:"How long sockets take to close after SIGTERM; 0s closes at once."`
	CacheMiB       int           `group:"settings" name:"cache-mib" default:"128" placeholder:"MIB" help:"Memory for what is asked of the store most: members and newest messages of busy conversations, clients who come and go; 0 keeps nothing."`
	UnnamedFiles   time.Duration `group:"settings" default:"24h" placeholder:"TIME" help:"How long an uploaded file stays if nothing names it."`
	Timezone       string        `group:"settings" default:"UTC" placeholder:"ZONE" help:"Zone of ctime and mtime of conversations, such as Asia/Shanghai."`
	AllowOpenApps  bool          `group:"settings" help:"Serve apps that have token authentication off to everybody: on a public address, behind a proxy, under any host name."`
	Language       string        `group:"settings" default:"zh" enum:"zh,en" placeholder:"zh|en" help:"Language of error texts where a caller names none: zh or en (Accept-Language, or lang at login)."`
	LogLevel       string        `group:"settings" default:"info" enum:"debug,info,warn,error" placeholder:"LEVEL" help:"Least level that is logged: debug, info, warn or error."`
	LogFormat      string        `group:"settings" default:"text" enum:"text,json" placeholder:"FORMAT" help:"How log lines are written: text or json."`
}

// Limits hold for all apps; those that an app has a setting of too are its default.
type Limits struct {
	MaxBodyKiB        int `group:"settings" name:"max-body-kib" default:"256" placeholder:"KIB" help:"Largest socket frame or REST body, uploads aside."`
	MaxMembers        int `group:"settings" default:"10000" placeholder:"N" help:"Members a group."`
	MaxConversations  int `group:"settings" default:"10000" placeholder:"N" help:"Conversations a client."`
	SendRate          int `group:"settings" default:"20" placeholder:"N" help:"Messages a second a client; -1: no limit."`
	SendBurst         int `group:"settings" default:"60" placeholder:"N" help:"Messages at once a client."`
	RESTRate          int `group:"settings" name:"rest-rate" default:"500" placeholder:"N" help:"REST calls a second an app key, and as many a client; -1: no limit."`
	LoginRate         int `group:"settings" default:"10" placeholder:"N" help:"Failed logins a minute an address and client; -1: no limit."`
	SocketsPerAddress int `group:"settings" default:"0" placeholder:"N" help:"Sockets an address, of IPv6 a /64; 0: 1,000, with --dev no limit; -1: no limit."`
}

// Level is LogLevel as slog has it.
func (s Serve) Level() slog.Level {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		return slog.LevelInfo
	}
	return level
}

// Location is Timezone as time has it; UTC where Validate would refuse it.
func (s Serve) Location() *time.Location {
	zone, err := time.LoadLocation(s.Timezone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Proxies are TrustedProxies as addresses have them; what Validate would refuse is
// left out.
func (s Serve) Proxies() []netip.Prefix {
	var all []netip.Prefix
	for _, text := range s.TrustedProxies {
		if p, err := parseProxy(text); err == nil {
			all = append(all, p)
		}
	}
	return all
}

// parseProxy reads a CIDR, or an address, which is a CIDR of one.
func parseProxy(text string) (netip.Prefix, error) {
	text = strings.TrimSpace(text)
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(a.Unmap().WithZone(""), a.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, err
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}
