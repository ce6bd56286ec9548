package body_test

import (
	"testing"

	"github.com/forepost/forepost/filters/filtertest"
)

// TestCases: text and links as a reader meets them.
func TestCases(t *testing.T) { filtertest.Run(t, "body", "testdata/*.txt") }
