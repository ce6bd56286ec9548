// Package builtin is the list of the filters that Forepost has.
package builtin

import "github.com/forepost/forepost/filters"

// Kinds are all of them.
func Kinds() []filters.Kind { return nil }
