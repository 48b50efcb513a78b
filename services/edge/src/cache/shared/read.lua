-- Reads an answer that nothing has been heard against since its service was asked.
-- KEYS: the answer, the clock with all that has been heard. Answers the clock; then, where there is such an answer,
-- for how many milliseconds more it is kept, and its body.
-- The clock does not count time but what has been heard: each event is later than everything that was read before it.
local clock = redis.call('ZSCORE', KEYS[2], '#clock')
if not clock then
    -- New, or forgotten: nothing that was kept before can be trusted, and no clock that was read before was later.
    local time = redis.call('TIME')
    clock = string.format('%.0f', time[1] * 1000000 + time[2])
    redis.call('ZADD', KEYS[2], clock, '#born', clock, '#clock')
end
local kept = redis.call('HMGET', KEYS[1], 'began', 'things', 'body')
if not kept[1] then
    return { clock }
end
local began = tonumber(kept[1])
if began < tonumber(redis.call('ZSCORE', KEYS[2], '#born')) then
    return { clock }
end
for thing in string.gmatch(kept[2], '%S+') do
    local heard = redis.call('ZSCORE', KEYS[2], thing)
    if heard and tonumber(heard) > began then
        return { clock }
    end
end
return { clock, redis.call('PTTL', KEYS[1]), kept[3] }
