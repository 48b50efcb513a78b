-- Load for wrk(1): asks as the plan says, counts the answers that are not as expected, prints one line of JSON.
-- wrk runs `setup` and `done` in a state of their own, everything else in one state a thread.

local threads = {}

function setup(thread)
   thread:set("number", #threads)
   table.insert(threads, thread)
end

function init(arguments)
   plan = dofile(arguments[1])
   asked, unexpected, first_unexpected = 0, 0, ""
   headers = { ["Host"] = wrk.headers["Host"] }
   if #plan.bodies > 0 or plan.slots then
      headers["Content-Type"] = "application/json"
   end
end

-- Numbers that no other thread has, without a gap: first each thread's first one, then each one's second.
local function next_number()
   local number_of_all = asked * plan.threads + number
   asked = asked + 1
   return number_of_all
end

local function one_of(list, number_of_all)
   return list[number_of_all % #list + 1]
end

-- First each staff member's first visit, then each one's second, so that neighbours have different staff.
local function wish(slots, number_of_all)
   local slot = slots.first_slot + number_of_all
   local starts_at = slots.first_visit + math.floor(slot / #slots.staff) * slots.visit_seconds
   return string.format(
      '{"serviceId":"%s","staffId":"%s","startsAt":"%s","pet":{"name":"Oyen","species":"cat"}}',
      slots.service, one_of(slots.staff, slot), os.date("!%Y-%m-%dT%H:%M:%SZ", starts_at)
   )
end

function request()
   local number_of_all = next_number()
   if #plan.tokens > 0 then
      headers["Authorization"] = "Bearer " .. one_of(plan.tokens, number_of_all)
   end
   local body
   if plan.slots then
      body = wish(plan.slots, number_of_all)
   elseif #plan.bodies > 0 then
      body = one_of(plan.bodies, number_of_all)
   end
   return wrk.format(plan.method, one_of(plan.paths, number_of_all), headers, body)
end

-- RFC 9211: `petpro; hit`.
local function is_kept(headers)
   return (headers["cache-status"] or ""):find("; hit", 1, true) ~= nil
end

function response(status, headers, body)
   local is_expected = status == plan.status and not (plan.unwanted and body:find(plan.unwanted, 1, true))
      and (not plan.kept or is_kept(headers))
   if not is_expected then
      unexpected = unexpected + 1
      if first_unexpected == "" then
         first_unexpected = status .. " " .. body:sub(1, 300)
      end
   end
end

local function quoted(text)
   return '"' .. text:gsub('[%c"\\]', function(letter) return string.format("\\u%04x", letter:byte()) end) .. '"'
end

function done(summary, latency, _requests)
   local most_asked, unexpected_of_all, said = 0, 0, ""
   for _, thread in ipairs(threads) do
      most_asked = math.max(most_asked, thread:get("asked"))
      unexpected_of_all = unexpected_of_all + thread:get("unexpected")
      if said == "" then
         said = thread:get("first_unexpected")
      end
   end
   local errors = summary.errors
   io.write(string.format(
      '{"answers":%d,"microseconds":%d,"p50":%d,"p95":%d,"p99":%d,"unexpected":%d,"said":%s,"broken":%d,"late":%d,"mostAsked":%d}\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(95),
      latency:percentile(99), unexpected_of_all, quoted(said), errors.connect + errors.read + errors.write, errors.timeout, most_asked
   ))
end
