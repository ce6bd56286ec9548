package appliance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// cleanups are what Stop has to do, last in first out, each with a name for
// the log: a stop that hangs says where.
type cleanups []cleanup

type cleanup struct {
	name string
	do   func(ctx context.Context) error
}

func (cs *cleanups) add(name string, do func(ctx context.Context) error) {
	*cs = append(*cs, cleanup{name, do})
}

// run does all of them, whatever some of them say.
func (cs *cleanups) run(ctx context.Context, log *slog.Logger) error {
	var errs []error
	for i := len(*cs) - 1; i >= 0; i-- {
		c := (*cs)[i]
		start := time.Now()
		if err := c.do(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stopping %s: %w", c.name, err))
		}
		log.Debug("stopped", "what", c.name, "took", time.Since(start).Round(time.Millisecond))
	}
	*cs = nil
	return errors.Join(errs...)
}

// periodically does something at once and then again and again, until a stop.
func (a *Appliance) periodically(name string, every time.Duration, do func(ctx context.Context)) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			do(ctx)
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	a.undo.add(name, func(context.Context) error {
		stop()
		<-done
		return nil
	})
}
