package dns

import (
	"context"
	"sync/atomic"
)

type budgetKey struct{}

// WithBudget gives everything that is done under ctx n questions together;
// after them every question fails with Kind Budget. A transaction carries one,
// so that no message can make us ask without end (SPF includes, ten thousand
// signatures, a page of links). Answers from a cache count too: what becomes of
// a message does not depend on what was asked before it.
func WithBudget(ctx context.Context, n int) context.Context {
	left := new(atomic.Int64)
	left.Store(int64(n))
	return context.WithValue(ctx, budgetKey{}, left)
}

// spend takes one question from the budget of ctx, if it has one.
func spend(ctx context.Context, name string, qtype uint16) error {
	left, ok := ctx.Value(budgetKey{}).(*atomic.Int64)
	if !ok || left.Add(-1) >= 0 {
		return nil
	}
	return &Error{Kind: Budget, Name: name, Type: qtype, Text: "this message has asked the DNS more than one message may"}
}
