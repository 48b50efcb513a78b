-- Notes what has been heard, so that every answer whose service was asked before is old.
-- KEYS: the clock with all that has been heard. ARGV: for how many milliseconds it is remembered, then each thing.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local born = redis.call('ZSCORE', KEYS[1], '#born') or string.format('%.0f', now)
local clock = tonumber(redis.call('ZSCORE', KEYS[1], '#clock') or born)
-- Later than everything before, also where the host's clock was set back.
local mark = string.format('%.0f', math.max(now, clock + 1))
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - ARGV[1] * 1000))
redis.call('ZADD', KEYS[1], born, '#born', mark, '#clock')
for index = 2, #ARGV do
    redis.call('ZADD', KEYS[1], mark, ARGV[index])
end
return 1
