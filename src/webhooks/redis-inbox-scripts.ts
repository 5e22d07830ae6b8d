/**
 * The Lua scripts of the inbox in Redis; each touches one key, so Cluster can run it.
 */

/** The value of a `seen` key whose delivery is in the stream. */
export const STORED = 'stored';

/**
 * Returns the value of the `seen` key of an identity: `STORED`, or an id of the stream from which on its
 * entry may be. The first delivery writes that id: the time, less a margin for clocks that differ, or the
 * id of an entry that was in the stream before, where that is later. Under load that entry leaves a few
 * to look at, where the time would leave hundreds.
 */
export const FIRST_SEEN = `local ttlMs, skewMs, lastId = unpack(ARGV)
local seen = redis.call('GET', KEYS[1])
if seen then return seen end
local now = redis.call('TIME')
local sinceMs = now[1] * 1000 + math.floor(now[2] / 1000) - skewMs
local lastMs = tonumber(string.match(lastId, '^%d+')) or 0
local from = lastMs >= sinceMs and lastId or string.format('%d', sinceMs)
redis.call('SET', KEYS[1], from, 'PX', ttlMs)
return from`;

/**
 * Appends a list of deliveries, each given as identity, `seen`, type and body. One that has an entry in the
 * stream already is a duplicate: entries are looked through from `seen` on, or all of them where `seen` is no
 * id of the past. Returns the id of the last new entry (of one that was found, where none is new), then the
 * outcome of each delivery.
 */
export const APPEND = `local stream, maxEntries = KEYS[1], tonumber(ARGV[1])
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local ids, lookedFrom = {}, {}
local function look(seen)
  local ms = tonumber(string.match(seen, '^%d+$') or string.match(seen, '^(%d+)%-%d+$'))
  local from = ms and ms <= nowMs and seen or '-'
  if lookedFrom[from] then return end
  lookedFrom[from] = true
  for _, entry in ipairs(redis.call('XRANGE', stream, from, '+')) do ids[entry[2][2]] = entry[1] end
end

local reply = { '' }
for i = 2, #ARGV, 4 do
  local identity, seen, eventType, body = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  look(seen)
  if ids[identity] then
    reply[1] = reply[1] == '' and ids[identity] or reply[1]
    table.insert(reply, 'duplicate')
  elseif redis.call('XLEN', stream) < maxEntries then
    ids[identity] = redis.call('XADD', stream, '*', 'identity', identity, 'type', eventType, 'body', body)
    reply[1] = ids[identity]
    table.insert(reply, 'new')
  else
    table.insert(reply, 'full')
  end
end
return reply`;

/** Appends a copy of an entry, where there is room for it. */
export const AGAIN = `local stream, id, maxEntries = KEYS[1], ARGV[1], tonumber(ARGV[2])
local entry = redis.call('XRANGE', stream, id, id)[1]
if not entry then return 'gone' end
if redis.call('XLEN', stream) >= maxEntries then return 'full' end
redis.call('XADD', stream, '*', unpack(entry[2]))
return 'new'`;

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

local info -- of our group: somebody else may read the stream in another one
for _, each in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  if fields(each).name == group then info = fields(each) end
end
if not info then return 0 end
local firstOpen = redis.call('XPENDING', stream, group)[2] or info['last-delivered-id']
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
