-- wrk … -s wrk.lua URL -- FILE SEED [check]: posts the lines of FILE in turn, from a place that SEED chooses. With
-- `check` every answer is looked at, and the first wrong one ends it: errors look fast.
local requests, at = {}, 0

function init(args)
  wrk.method = 'POST'
  wrk.headers['content-type'] = 'application/json'
  for line in io.lines(args[1]) do requests[#requests + 1] = wrk.format(nil, nil, nil, line) end
  math.randomseed(tonumber(args[2]))
  at = math.random(0, #requests - 1)
  if args[3] == 'check' then
    response = function(status, headers, body)
      if status ~= 200 or body:find('"errors":', 1, true) or body:find('"valid":false', 1, true) then
        io.stderr:write('a wrong answer: ', status, ' ', body:sub(1, 300), '\n')
        os.exit(1)
      end
    end
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local faults = summary.errors
  io.write(string.format('\nJSON{"requests":%d,"us":%d,"p50Ms":%.3f,"p99Ms":%.3f,"errors":%d,"bytes":%d}\n',
    summary.requests, summary.duration, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    faults.status + faults.connect + faults.read + faults.write + faults.timeout, summary.bytes))
end
