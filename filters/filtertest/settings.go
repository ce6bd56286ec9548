package filtertest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/pipeline"
)

// Decode fills in a Settings struct by its hcl tags from lines "name = value".
// A value is written as in a policy: a JSON value, a bare word where the setting
// has words, and one of client.ip, mail.from, rcpt.address for a key.
func Decode(text string, into any) error {
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || into == nil {
			return fmt.Errorf("the setting %q is none", line)
		}
		field, ok := settingOf(into, name)
		if !ok {
			return fmt.Errorf("there is no setting %q", name)
		}
		if err := set(field, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func settingOf(into any, name string) (reflect.Value, bool) {
	v := reflect.ValueOf(into).Elem()
	for i := range v.NumField() {
		if tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("hcl"), ","); tag == name {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func set(field reflect.Value, value string) error {
	switch p := field.Addr().Interface().(type) {
	case *filters.Key:
		k, ok := keys[value]
		if !ok {
			return fmt.Errorf("a key of a case is one of client.ip, mail.from, rcpt.address, unknown")
		}
		*p = k
		return nil
	case *time.Duration:
		d, err := time.ParseDuration(strings.Trim(value, `"`))
		*p = d
		return err
	case *[]string:
		return json.Unmarshal([]byte(quoted(value)), p)
	case *string:
		*p = strings.Trim(value, `"`)
		return nil
	default:
		return json.Unmarshal([]byte(value), p)
	}
}

// quoted turns a list of bare words into one of strings.
func quoted(value string) string {
	if strings.ContainsRune(value, '"') {
		return value
	}
	words := strings.Split(strings.Trim(value, "[]"), ",")
	for i, w := range words {
		words[i] = `"` + strings.TrimSpace(w) + `"`
	}
	return "[" + strings.Join(words, ",") + "]"
}

var keys = map[string]filters.Key{
	"client.ip":    func(tx *pipeline.Transaction) (string, bool) { return tx.Client.String(), true },
	"mail.from":    func(tx *pipeline.Transaction) (string, bool) { return tx.From.Key(), true },
	"mail.domain":  func(tx *pipeline.Transaction) (string, bool) { return tx.From.Domain, true },
	"rcpt.address": func(tx *pipeline.Transaction) (string, bool) { return tx.To[tx.Current].Address.Key(), true },
	"unknown":      func(*pipeline.Transaction) (string, bool) { return "", false },
}
