/**
 * Lua script that drops entries older than `keptMs` or beyond `keptEntries`, up to the first that
 * is still to be handled, and consumers of processes that are gone. Looks at no more than `atATime`
 * entries, because other commands wait meanwhile: called again until it returns 0.
 */
export const TRIM = `local stream = KEYS[1]
local keptMs, keptEntries, group, consumerGoneMs, atATime = unpack(ARGV)

local function isBefore(id, other)
  local ms, number = string.match(id, '^(%d+)%-(%d+)$')
  local otherMs, otherNumber = string.match(other, '^(%d+)%-(%d+)$')
  if ms == otherMs then return tonumber(number) < tonumber(otherNumber) end
  return tonumber(ms) < tonumber(otherMs)
end

local function named(list) -- names and values in turns
  local values = {}
  for i = 1, #list, 2 do values[list[i]] = list[i + 1] end
  return values
end

local ourGroup -- somebody else may read the stream in another one
for _, each in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  if named(each).name == group then ourGroup = named(each) end
end
if not ourGroup then return 0 end

for _, each in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
  local consumer = named(each)
  if consumer.pending == 0 and consumer.idle > tonumber(consumerGoneMs) then
    redis.call('XGROUP', 'DELCONSUMER', stream, group, consumer.name)
  end
end

local nowMs = redis.call('TIME')[1] * 1000
local firstKept = string.format('%d-0', math.max(0, nowMs - keptMs))
local tooMany = math.min(redis.call('XLEN', stream) - keptEntries, tonumber(atATime))
if tooMany > 0 then
  local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', tooMany + 1)
  local firstOfTheRest = oldest[#oldest][1]
  if isBefore(firstKept, firstOfTheRest) then firstKept = firstOfTheRest end
end

local firstPending = redis.call('XPENDING', stream, group)[2]
local firstToHandle = firstPending or ourGroup['last-delivered-id']
if isBefore(firstToHandle, firstKept) then firstKept = firstToHandle end
return redis.call('XTRIM', stream, 'MINID', firstKept)`;
