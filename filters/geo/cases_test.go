package geo_test

import (
	"testing"

	"github.com/forepost/forepost/filters/filtertest"
)

func TestCases(t *testing.T) { filtertest.Run(t, "geo", "testdata/*.txt") }
