// Lua scripts that append to the stream of an inbox. Each touches one key, so a Cluster can run it.

/** The value of a `seen` key once its delivery is in the stream. Before, it is a stream id. */
export const STORED = 'stored';

/**
 * Returns the value of the `seen` key of an identity: `STORED`, or the id from which on its entry
 * may be in the stream. The first delivery sets that id.
 */
export const GET_OR_SET_SEEN = `local ttlMs, clockSkewMs, lastEntryId = unpack(ARGV)
local seen = redis.call('GET', KEYS[1])
if seen then return seen end

local time = redis.call('TIME')
local earliestMs = time[1] * 1000 + math.floor(time[2] / 1000) - clockSkewMs
local lastEntryMs = tonumber(string.match(lastEntryId, '^%d+')) or 0
seen = string.format('%d', earliestMs)
-- Under load hundreds of entries are younger than the time, and few come after the last one.
if lastEntryMs >= earliestMs then seen = lastEntryId end
redis.call('SET', KEYS[1], seen, 'PX', ttlMs)
return seen`;

/**
 * Appends deliveries, each given as identity, `seen`, type and body, unless their entry is in the
 * stream from `seen` on. Returns the id of the last new entry, or where none is new that of the
 * first duplicate, then an outcome per delivery.
 */
export const APPEND = `local stream, maxEntries = KEYS[1], tonumber(ARGV[1])
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)

local entryIds = {} -- by identity
local readFrom = {}
local function readEntries(seen)
  local seenMs = tonumber(string.match(seen, '^%d+$') or string.match(seen, '^(%d+)%-%d+$'))
  local start = '-' -- the whole stream, where "seen" is no id of the past
  if seenMs and seenMs <= nowMs then start = seen end
  if readFrom[start] then return end
  readFrom[start] = true
  for _, entry in ipairs(redis.call('XRANGE', stream, start, '+')) do
    local id, fields = entry[1], entry[2]
    entryIds[fields[2]] = id -- the first field is the identity
  end
end

local lastId, outcomes = '', {}
for i = 2, #ARGV, 4 do
  local identity, seen, eventType, body = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  readEntries(seen)
  if entryIds[identity] then
    if lastId == '' then lastId = entryIds[identity] end
    table.insert(outcomes, 'duplicate')
  elseif redis.call('XLEN', stream) < maxEntries then
    lastId = redis.call('XADD', stream, '*', 'identity', identity, 'type', eventType, 'body', body)
    entryIds[identity] = lastId
    table.insert(outcomes, 'new')
  else
    table.insert(outcomes, 'full')
  end
end
return { lastId, unpack(outcomes) }`;

/** Appends a copy of an entry, where there is room for it. */
export const AGAIN = `local stream, id, maxEntries = KEYS[1], ARGV[1], tonumber(ARGV[2])
local entry = redis.call('XRANGE', stream, id, id)[1]
if not entry then return 'gone' end
if redis.call('XLEN', stream) >= maxEntries then return 'full' end
redis.call('XADD', stream, '*', unpack(entry[2]))
return 'new'`;

/** Deletes a `seen` key, unless another delivery has changed it. */
export const DELETE_IF_EQUAL = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;
