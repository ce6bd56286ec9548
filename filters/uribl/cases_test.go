package uribl_test

import (
	"testing"

	"github.com/forepost/forepost/filters/filtertest"
)

func TestCases(t *testing.T) { filtertest.Run(t, "uribl", "testdata/*.txt") }
