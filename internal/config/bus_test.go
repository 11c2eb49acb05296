package config

import (
	"reflect"
	"strings"
	"testing"
)

func TestBusIsRead(t *testing.T) {
	for bus, want := range map[string]Bus{
		"":            {},
		"none":        {},
		"in-process":  {},
		"nats://host": {Servers: []string{"nats://host:4222"}},
		"nats://me:p%40ss@a:1,b,[::1]:4222?prefix=shop": {Servers: []string{"nats://a:1", "nats://b:4222", "nats://[::1]:4222"}, User: "me", Password: "p@ss", Prefix: "shop"},
		"tls://token@host:4443":                         {Servers: []string{"tls://host:4443"}, User: "token"},
		"nats://embedded?listen=10.0.0.1:6222&peers=10.0.0.2:6222,b:6222&token=0123456789abcdef": {Listen: "10.0.0.1:6222", Peers: []string{"10.0.0.2:6222", "b:6222"}, Token: "0123456789abcdef"},
		"nats://embedded?listen=:6222&token=0123456789abcdef":                                    {Listen: ":6222", Token: "0123456789abcdef"},
	} {
		got, err := Serve{Bus: bus}.BusOf()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v, %v\nwant %+v", bus, got, err, want)
		}
	}
}

func TestABusThatCannotWorkIsRefusedWithoutItsCredentials(t *testing.T) {
	for bus, want := range map[string]string{
		"redis://u:secret@host":                      `--bus: "redis" is not none, nats or tls`,
		"nats://":                                    `--bus: ":4222" is not HOST:PORT`,
		"nats://u:secret@host:x":                     "--bus: ",
		"nats://u:secret@host:0":                     `--bus: "host:0" is not HOST:PORT`,
		"nats://u:%zzsecret@host":                    "--bus: user and password cannot be read",
		"nats://:secret@host":                        "--bus: user and password cannot be read",
		"nats://u:secret@host?a=%zz":                 "--bus: what follows the question mark",
		"nats://u:secret@host?tls=1":                 `--bus: unknown option "tls"; there are prefix`,
		"nats://host?prefix=a.b":                     "--bus: prefix: holds characters",
		"nats://embedded":                            `--bus: listen: "" is not HOST:PORT`,
		"nats://embedded?listen=h:6222&token=secret": "--bus: token: at least 16 characters",
		"nats://embedded?listen=h:6222&token=secretsecretsecret&peers=a":  `--bus: peers: "a" is not HOST:PORT`,
		"nats://embedded?listen=h:6222&token=secretsecretsecret&peer=a:1": `--bus: unknown option "peer"; there are listen, token, peers`,
	} {
		_, err := Serve{Bus: bus}.BusOf()
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want %s…, and no credentials", bus, err, want)
		}
	}
}
