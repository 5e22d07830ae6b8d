/**
 * The Lua scripts of the inbox in Redis; each touches one key, so Cluster can run it.
 */

/** The value of a `seen` key whose delivery is in the stream. */
export const STORED = 'stored';

/**
 * Returns the value of the `seen` key of an identity: `STORED`, or from where in the stream its entry may be. The
 * first delivery writes that: the time by the clock of Redis, and the id of an entry that was in the
 * stream before.
 */
export const FIRST_SEEN = `local ttlMs, lastId = unpack(ARGV)
local seen = redis.call('GET', KEYS[1])
if seen then return seen end
local now = redis.call('TIME')
local from = string.format('%d', now[1] * 1000 + math.floor(now[2] / 1000)) .. ' ' .. lastId
redis.call('SET', KEYS[1], from, 'PX', ttlMs)
return from`;

/**
 * Appends an entry unless the stream has one of the same identity since its first delivery (`seen`).
 * The search begins at the later of two places that are both before it: the time, with a margin for
 * clocks that differ, and the id. Under load the id leaves a few entries to look at, where the time
 * would leave hundreds.
 */
export const APPEND = `local stream = KEYS[1]
local identity, seen, skewMs, maxEntries, eventType, body = unpack(ARGV)
if redis.call('XLEN', stream) >= tonumber(maxEntries) then return { 'full', '' } end
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local seenAtMs, lastId = string.match(seen, '^(%d+) ?(.*)$')
local sinceMs = math.max(0, math.min(tonumber(seenAtMs) or 0, nowMs) - skewMs)
local from = string.format('%d', sinceMs)
local lastMs = tonumber(string.match(lastId or '', '^(%d+)%-%d+$'))
if lastMs and lastMs >= sinceMs and lastMs <= nowMs then from = lastId end
for _, entry in ipairs(redis.call('XRANGE', stream, from, '+')) do
  if entry[2][2] == identity then return { 'duplicate', entry[1] } end
end
local id = redis.call('XADD', stream, '*', 'identity', identity, 'type', eventType, 'body', body)
return { 'new', id }`;

export const DELETE_IF_EQUAL = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

/**
 * Drops entries older than `keptMs` or beyond `keptEntries`, up to the first that is still to be handled,
 * and consumers of processes that are gone. Looks at no more than `atATime` entries, because other
 * commands wait meanwhile: called again until it returns 0.
 */
export const TRIM = `local stream = KEYS[1]
local keptMs, keptEntries, group, consumerGoneMs, atATime = unpack(ARGV)
local function earlier(one, other)
  local oneMs, oneNumber = string.match(one, '^(%d+)%-(%d+)$')
  local otherMs, otherNumber = string.match(other, '^(%d+)%-(%d+)$')
  if oneMs == otherMs then return tonumber(oneNumber) < tonumber(otherNumber) and one or other end
  return tonumber(oneMs) < tonumber(otherMs) and one or other
end
local function fields(list)
  local named = {}
  for i = 1, #list, 2 do named[list[i]] = list[i + 1] end
  return named
end

local info = redis.call('XINFO', 'GROUPS', stream)[1]
if not info then return 0 end
local firstOpen = redis.call('XPENDING', stream, group)[2] or fields(info)['last-delivered-id']
local now = redis.call('TIME')
local firstKept = string.format('%d-0', math.max(0, now[1] * 1000 - keptMs))
local over = math.min(redis.call('XLEN', stream) - keptEntries, tonumber(atATime))
if over > 0 then
  local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', over + 1)
  local next = oldest[#oldest][1]
  if earlier(firstKept, next) == firstKept then firstKept = next end
end

for _, each in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
  local consumer = fields(each)
  if consumer.pending == 0 and consumer.idle > tonumber(consumerGoneMs) then
    redis.call('XGROUP', 'DELCONSUMER', stream, group, consumer.name)
  end
end
return redis.call('XTRIM', stream, 'MINID', earlier(firstKept, firstOpen))`;
