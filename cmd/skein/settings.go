package main

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

// settingFlags are the settings of an app as flags, made from the table of settings: a pointer to a
// struct with one field for each setting, nil where the flag is not given.
type settingFlags struct {
	kong.Plugins
}

// newSettingFlags makes the flags.
func newSettingFlags() settingFlags {
	flags := make([]flag, 0, len(adminapi.AllSettings))
	for _, s := range adminapi.AllSettings {
		flags = append(flags, flag{s.Name, s.Type.Elem(), s.Words, helpOf(s)})
	}
	return settingFlags{newFlags("App settings:", flags)}
}

// flag is a field of a request as a flag.
type flag struct {
	field string // its name in JSON
	typ   reflect.Type
	words []string // values of a text
	help  string
}

// newFlags makes flags of fields: a pointer to a struct with one field for each, nil where the flag is not given.
func newFlags(group string, flags []flag) kong.Plugins {
	fields := make([]reflect.StructField, 0, len(flags))
	for i, f := range flags {
		typ, placeholder := reflect.PointerTo(f.typ), "N"
		switch f.typ.Kind() {
		case reflect.Bool:
			typ, placeholder = reflect.TypeFor[*onOff](), "on|off"
		case reflect.String:
			placeholder = cmp.Or(strings.Join(f.words, "|"), "TEXT")
		case reflect.Slice:
			placeholder = "TEXT,…"
			if f.typ.Elem().Kind() != reflect.String {
				placeholder = "N,…"
			}
		}
		tag := fmt.Sprintf(`name:%q group:%q placeholder:%q help:%s`, flagOf(f.field), group, placeholder, strconv.Quote(f.help))
		fields = append(fields, reflect.StructField{Name: "Field" + strconv.Itoa(i), Type: typ, Tag: reflect.StructTag(tag)})
	}
	return kong.Plugins{reflect.New(reflect.StructOf(fields)).Interface()}
}

// flagOf is the flag of a setting, without its dashes.
func flagOf(setting string) string { return strings.ReplaceAll(setting, "_", "-") }

func helpOf(s adminapi.Setting) string {
	meaning := strings.ToUpper(s.EN[:1]) + s.EN[1:]
	fallback, _ := s.DefaultText()
	switch s.Type.Elem().Kind() {
	case reflect.Bool:
		return fmt.Sprintf("%s (default %s).", meaning, onOffText(s.Default == "true"))
	case reflect.Int64:
		if s.Unlimited {
			fallback += ", -1: no limit"
		}
		return fmt.Sprintf("%s (0: %s).", meaning, fallback)
	default:
		return fmt.Sprintf("%s (default %s).", meaning, fallback)
	}
}

// given are the settings whose flags were given.
func (f settingFlags) given() (s adminapi.Settings) {
	if len(f.Plugins) == 0 {
		return s
	}
	from, into := reflect.ValueOf(f.Plugins[0]).Elem(), reflect.ValueOf(&s).Elem()
	for i := range adminapi.AllSettings {
		if given := from.Field(i); !given.IsNil() {
			value := reflect.New(into.Field(i).Type().Elem())
			value.Elem().Set(given.Elem().Convert(value.Elem().Type()))
			into.Field(i).Set(value)
		}
	}
	return s
}

// change is what the flags do to the settings of an app. Errors name the flag.
func (f settingFlags) change() (func(*skein.Settings), error) {
	change, err := f.given().Change()
	if fault, ok := errors.AsType[*skein.Fault](err); ok {
		name, _ := strings.CutPrefix(fault.Field, "settings.")
		err = fmt.Errorf("--%s: %s", flagOf(name), fault.Detail)
	}
	return change, err
}

// onOff is a switch, written "on" or "off".
type onOff bool

// UnmarshalText reads on and off.
func (v *onOff) UnmarshalText(text []byte) error {
	switch string(text) {
	case "on":
		*v = true
	case "off":
		*v = false
	default:
		return fmt.Errorf("%q is neither on nor off", text)
	}
	return nil
}

// settingRows are settings as lines of the text output.
func settingRows(s adminapi.Settings) [][]string {
	var rows [][]string
	values := reflect.ValueOf(s)
	for i, line := range adminapi.AllSettings {
		text, _ := line.DefaultText()
		if v := values.Field(i); !v.IsNil() {
			switch v = v.Elem(); {
			case v.Kind() == reflect.Bool:
				text = onOffText(v.Bool())
			case v.Kind() == reflect.Slice && v.Len() > 0:
				text = fmt.Sprint(strings.Join(v.Interface().([]string), ",")) //nolint:forcetypeassert // the table has no other lists
			case v.Kind() == reflect.String && v.Len() > 0, v.CanInt() && v.Int() != 0:
				text = fmt.Sprint(v)
			}
		}
		rows = append(rows, []string{flagOf(line.Name), text})
	}
	return rows
}
