/**
 * The Lua scripts of the inbox in Redis; each touches one key, so Cluster can run it.
 */

/** The value of a `seen` key whose delivery is in the stream. */
export const STORED = 'stored';

/**
 * What the `seen` key of an identity holds: `STORED`, or from where in the stream its entry may be. The
 * first delivery writes that: the time by the clock of Redis, and `ARGV[2]`, the id of an entry that
 * was in the stream before.
 */
export const FIRST_SEEN = `local seen = redis.call('GET', KEYS[1])
if seen then return seen end
local now = redis.call('TIME')
local from = string.format('%d', now[1] * 1000 + math.floor(now[2] / 1000)) .. ' ' .. ARGV[2]
redis.call('SET', KEYS[1], from, 'PX', ARGV[1])
return from`;

/**
 * Appends an entry unless the stream has one of the same identity since its first delivery (`ARGV[2]`).
 * The search begins at the later of two places that are both before it: the time, with a margin for
 * clocks that differ, and the id. Under load the id leaves a few entries to look at, where the time
 * would leave hundreds.
 */
export const APPEND = `if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[4]) then return { 'full', '' } end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local at, last = string.match(ARGV[2], '^(%d+) ?(.*)$')
local since = math.max(0, math.min(tonumber(at) or 0, now) - ARGV[3])
local from = string.format('%d', since)
local lastMs = tonumber(string.match(last or '', '^(%d+)%-%d+$'))
if lastMs and lastMs >= since and lastMs <= now then from = last end
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], from, '+')) do
  if entry[2][2] == ARGV[1] then return { 'duplicate', entry[1] } end
end
return { 'new', redis.call('XADD', KEYS[1], '*', 'identity', ARGV[1], 'type', ARGV[5], 'body', ARGV[6]) }`;

export const DELETE_IF_EQUAL = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

/**
 * Drops entries older than `ARGV[1]` ms or beyond `ARGV[2]`, up to the first that is still to be handled,
 * and consumers of processes that are gone. Looks at no more than `ARGV[5]` entries, because other
 * commands wait meanwhile: called again until it returns 0.
 */
export const TRIM = `local now = redis.call('TIME')
local group = redis.call('XINFO', 'GROUPS', KEYS[1])[1]
if not group then return 0 end
local delivered
for i = 1, #group, 2 do if group[i] == 'last-delivered-id' then delivered = group[i + 1] end end
local first = redis.call('XPENDING', KEYS[1], ARGV[3])[2] or delivered
local function ms(id) return tonumber(string.match(id, '^%d+')) end
local until_ms = math.min(ms(first), now[1] * 1000 - ARGV[1])
local over = math.min(redis.call('XLEN', KEYS[1]) - ARGV[2], tonumber(ARGV[5]))
if over > 0 then
  local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', over)
  until_ms = math.min(ms(first), math.max(until_ms, ms(oldest[#oldest][1])))
end
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[3])) do
  local of = {}
  for i = 1, #consumer, 2 do of[consumer[i]] = consumer[i + 1] end
  if of.pending == 0 and of.idle > tonumber(ARGV[4]) then redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[3], of.name) end
end
return redis.call('XTRIM', KEYS[1], 'MINID', string.format('%d', until_ms))`;
