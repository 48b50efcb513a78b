-- Takes one request from every budget, or from none of them.
-- KEYS: one for each budget. ARGV: its share and its capacity, in microseconds, two for each key.
-- Answers 1 or 0 (taken or not), then each budget's backlog in microseconds.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local backlogs = {}
local taken = 1
for i, key in ipairs(KEYS) do
    local share, capacity = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local empty_at = tonumber(redis.call('GET', key) or now)
    -- A clock that was set back, or a quota that was made smaller, must not lock anyone out for long.
    backlogs[i] = math.min(math.max(empty_at - now, 0), capacity)
    if backlogs[i] + share > capacity then
        taken = 0
    end
end
if taken == 1 then
    for i, key in ipairs(KEYS) do
        backlogs[i] = backlogs[i] + tonumber(ARGV[2 * i - 1])
        redis.call('SET', key, string.format('%.0f', now + backlogs[i]), 'PX', math.ceil(backlogs[i] / 1000) + 1)
    end
end
return { taken, unpack(backlogs) }
