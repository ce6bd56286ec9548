package state

import (
	"context"
	"crypto/tls"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// RedisOptions say where a Redis (or Valkey, 6.2 or later) is.
type RedisOptions struct {
	Address            string // host:port, or the path of a unix socket
	Username, Password string
	TLS                *tls.Config // nil: without
	DB                 int
	Prefix             string // of all keys; default "forepost:"
}

// Redis is the Store that several nodes share.
type Redis struct {
	client *redis.Client
	prefix string
	now    func() time.Time // nil: the server's clock, which the nodes have in common
}

var _ Store = (*Redis)(nil)

// What a decision may wait for. A keeper that takes longer is as good as away.
const (
	redisDial  = time.Second
	redisReply = 500 * time.Millisecond
)

//go:embed take.lua
var takeScript string

//go:embed return.lua
var returnScript string

//go:embed see.lua
var seeScript string

var (
	takeLua   = redis.NewScript(takeScript)
	returnLua = redis.NewScript(returnScript)
	seeLua    = redis.NewScript(seeScript)
)

// NewRedis makes a Store over a Redis, which need not be there yet: every call
// says ErrAway until it is. now is for tests; with nil, time is the Redis
// server's, so that the clocks of nodes need not agree.
func NewRedis(o RedisOptions, now func() time.Time, log *slog.Logger) (*Redis, error) {
	if o.Address == "" {
		return nil, errors.New("state: a Redis needs an address (host:port, or a socket's path)")
	}
	if log != nil {
		redis.SetLogger(quiet{log})
	}
	if o.Prefix == "" {
		o.Prefix = "forepost:"
	}
	network := "tcp"
	if strings.HasPrefix(o.Address, "/") {
		network = "unix"
	}
	return &Redis{prefix: o.Prefix, now: now, client: redis.NewClient(&redis.Options{
		Network: network, Addr: o.Address, Username: o.Username, Password: o.Password, TLSConfig: o.TLS, DB: o.DB,
		DialTimeout: redisDial, ReadTimeout: redisReply, WriteTimeout: redisReply, PoolTimeout: redisDial,
		// A Take that was sent may have been counted: asking twice would count it twice.
		MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})}, nil
}

// quiet keeps the library's own messages to those who look for them.
type quiet struct{ log *slog.Logger }

func (q quiet) Printf(ctx context.Context, format string, v ...any) {
	q.log.DebugContext(ctx, "redis: "+fmt.Sprintf(format, v...))
}

// away wraps what Redis or the way to it said: unreachable, too slow, loading,
// out of memory, read-only, a wrong password. To the caller it is all the
// same, and the text is for the log. Its own cancellation is not Redis's fault.
func away(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return fmt.Errorf("%w: %w", ErrAway, err)
}

// key is a name in Redis. It is an argument of a command, never part of one, so
// that no octet in it means anything.
func (r *Redis) key(what byte, key string) string {
	return r.prefix + string(what) + ":" + bounded(key)
}

// clock is now in microseconds, -1 for the server's.
func (r *Redis) clock() int64 {
	if r.now == nil {
		return -1
	}
	return r.now().UnixMicro()
}

// windows makes the keys and arguments of take.lua and return.lua.
func (r *Redis) windows(n int64, windows []Window) (keys []string, args []any) {
	args = append(args, r.clock(), n)
	for _, w := range windows {
		keys = append(keys, r.key('w', w.Key))
		args = append(args, strconv.FormatFloat(float64(w.interval())/1e3, 'f', 3, 64), w.burst())
	}
	return keys, args
}

// Take is Store's.
func (r *Redis) Take(ctx context.Context, n int64, windows ...Window) (Taken, error) {
	keys, args := r.windows(n, windows)
	got, err := takeLua.Run(ctx, r.client, keys, args...).Int64Slice()
	if err != nil {
		return Taken{}, away(ctx, err)
	}
	if len(got) != 4 {
		return Taken{}, fmt.Errorf("%w: an answer of %d numbers", ErrAway, len(got))
	}
	return Taken{OK: got[0] == 1, Over: int(got[1]), Count: got[2], Wait: microseconds(got[3])}, nil
}

// Return is Store's.
func (r *Redis) Return(ctx context.Context, n int64, windows ...Window) error {
	keys, args := r.windows(n, windows)
	return away(ctx, returnLua.Run(ctx, r.client, keys, args...).Err())
}

// See is Store's.
func (r *Redis) See(ctx context.Context, key string, keep time.Duration) (Seen, error) {
	got, err := seeLua.Run(ctx, r.client, []string{r.key('s', key)}, r.clock(), keep.Microseconds()).Int64Slice()
	if err != nil {
		return Seen{}, away(ctx, err)
	}
	if len(got) != 3 {
		return Seen{}, fmt.Errorf("%w: an answer of %d numbers", ErrAway, len(got))
	}
	s := Seen{First: time.UnixMicro(got[0]), Count: got[2]}
	if got[1] > 0 {
		s.Last = time.UnixMicro(got[1])
	}
	return s, nil
}

// Get is Store's.
func (r *Redis) Get(ctx context.Context, key string) (string, error) {
	got, err := r.client.Get(ctx, r.key('v', key)).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	if err != nil {
		return "", away(ctx, err)
	}
	end, text, _ := strings.Cut(got, " ")
	until, err := strconv.ParseInt(end, 10, 64)
	if err != nil || r.now != nil && until <= r.clock() {
		return "", nil // not ours, or over
	}
	return text, nil
}

// Put is Store's. The value carries its end as well: see see.lua.
func (r *Redis) Put(ctx context.Context, key, text string, keep time.Duration) error {
	until := int64(math.MaxInt64)
	if r.now != nil {
		until = r.now().Add(keep).UnixMicro()
	}
	text = strconv.FormatInt(until, 10) + " " + text
	return away(ctx, r.client.Set(ctx, r.key('v', key), text, max(keep, time.Millisecond)).Err())
}

// Delete is Store's.
func (r *Redis) Delete(ctx context.Context, key string) error {
	return away(ctx, r.client.Del(ctx, r.key('s', key), r.key('v', key)).Err())
}

// Close is Store's.
func (r *Redis) Close() error { return r.client.Close() }

func microseconds(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
