-- Keeps an answer, unless something has been heard against it since its service was asked, or a newer one is kept.
-- KEYS: the answer, the clock with all that has been heard. ARGV: the clock before the service was asked, the version or
-- nothing, what the answer is made of, its body, for how many milliseconds it is kept. Answers 1 where it is kept.
local born = redis.call('ZSCORE', KEYS[2], '#born')
local began, version = tonumber(ARGV[1]), tonumber(ARGV[2])
if not born or began < tonumber(born) then
    return 0
end
for thing in string.gmatch(ARGV[3], '%S+') do
    local heard = redis.call('ZSCORE', KEYS[2], thing)
    if heard and tonumber(heard) > began then
        return 0
    end
end
local kept = redis.call('HMGET', KEYS[1], 'began', 'version')
if kept[1] then
    local kept_began, kept_version = tonumber(kept[1]), tonumber(kept[2])
    if version and kept_version and version ~= kept_version then
        if version < kept_version then
            return 0
        end
    elseif began < kept_began then
        return 0
    end
end
redis.call('HSET', KEYS[1], 'began', ARGV[1], 'version', ARGV[2], 'things', ARGV[3], 'body', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
