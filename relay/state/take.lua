-- Take: KEYS are windows; ARGV is now (microseconds, -1 for this server's
-- clock), n, and for each window its interval (microseconds) and burst. The
-- answer is: whether there was room, the index (from 0) of the first window
-- without or -1, the count in use, the wait in microseconds.
local now, n = tonumber(ARGV[1]), tonumber(ARGV[2])
if now < 0 then
	local t = redis.call('TIME')
	now = t[1] * 1000000 + t[2]
end
local after, over, count, wait, share = {}, -1, 0, 0, -1
for i, key in ipairs(KEYS) do
	local every, burst = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
	local cell = tonumber(redis.call('GET', key) or '0') or 0
	after[i] = math.max(cell, now) + n * every
	local short = after[i] - now - burst * every
	local used = math.max(0, math.ceil((after[i] - now - 1) / every)) -- 1: numbers of this size are exact to a microsecond only
	if short > 1 then
		wait = math.max(wait, short)
		if over < 0 then
			over, count = i - 1, used
		end
	elseif over < 0 and used / math.max(1, burst) > share then
		share, count = used / math.max(1, burst), used
	end
end
if over >= 0 then
	return {0, over, count, math.ceil(wait)}
end
for i, key in ipairs(KEYS) do
	redis.call('SET', key, string.format('%.3f', after[i]), 'PX', math.max(1, math.ceil((after[i] - now) / 1000)))
end
return {1, -1, count, 0}
