-- See: KEYS[1] is the key; ARGV is now (microseconds, -1 for this server's
-- clock) and how long to keep it (microseconds). The answer is: first seen,
-- last seen before (0 for a new one), count. It ends by its own end, and not
-- by the server's clock alone, so that time can be an argument.
local now, keep = tonumber(ARGV[1]), tonumber(ARGV[2])
if now < 0 then
	local t = redis.call('TIME')
	now = t[1] * 1000000 + t[2]
end
local old = redis.call('HMGET', KEYS[1], 'first', 'last', 'count', 'until')
local first, last, count = now, 0, 1
if old[1] and tonumber(old[4]) > now then
	first, last, count = tonumber(old[1]), tonumber(old[2]), tonumber(old[3]) + 1
end
redis.call('HSET', KEYS[1], 'first', string.format('%.0f', first), 'last', string.format('%.0f', now),
	'count', string.format('%.0f', count), 'until', string.format('%.0f', now + keep))
redis.call('PEXPIRE', KEYS[1], math.max(1, math.ceil(keep / 1000)))
return {first, last, count}
