-- Return: as Take, but n comes back. What has run out by itself stays so.
local now, n = tonumber(ARGV[1]), tonumber(ARGV[2])
if now < 0 then
	local t = redis.call('TIME')
	now = t[1] * 1000000 + t[2]
end
for i, key in ipairs(KEYS) do
	local cell = tonumber(redis.call('GET', key) or '0') or 0
	local after = cell - n * tonumber(ARGV[2 * i + 1])
	if after > now then
		redis.call('SET', key, string.format('%.3f', after), 'PX', math.max(1, math.ceil((after - now) / 1000)))
	elseif cell > 0 then
		redis.call('DEL', key)
	end
end
return 1
