-- Each request as the next of the signed-in browsers; the numbers as JSON.
local cookies, next_one = {}, 0
for line in io.lines(os.getenv('COOKIES')) do cookies[#cookies + 1] = line end
local headers = { Host = 'connect.example', ['X-Forwarded-Proto'] = 'https', Accept = os.getenv('ACCEPT') }

function request()
  next_one = next_one % #cookies + 1
  headers.Cookie = cookies[next_one]
  return wrk.format('GET', nil, headers)
end

-- A redirect is no answer: anything but 200 counts as an error.
wrong = 0
local threads = {}
function setup(thread) threads[#threads + 1] = thread end
function response(status)
  if status ~= 200 then wrong = wrong + 1 end
end

function done(summary, latency)
  local errors = summary.errors
  local refused = 0
  for _, thread in ipairs(threads) do refused = refused + thread:get('wrong') end
  io.write(string.format('\nRESULT {"requests":%d,"seconds":%f,"errors":%d,"p50Ms":%f,"p99Ms":%f}\n', summary.requests, summary.duration / 1e6,
    errors.connect + errors.read + errors.write + errors.timeout + refused, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
