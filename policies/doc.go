// Package policies reads what the operator writes, HCL, and hands out plans and
// settings. No other package knows HCL.
package policies
