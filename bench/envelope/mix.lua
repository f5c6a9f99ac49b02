-- Sends the requests of a file in turns, again and again. In the file: a line with the length, then so many bytes. A request that has
-- "@@@@@@@@" in it gets a number there, never the same: an object that is made of it is another each time.
local requests, at, made = {}, 0, 0

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  for line in file:lines() do
    local text = file:read(tonumber(line))
    local mark = text:find("@@@@@@@@", 1, true)
    requests[#requests + 1] = mark and {text:sub(1, mark - 1), text:sub(mark + 8)} or text
  end
  file:close()
end

function request()
  at = at % #requests + 1
  local each = requests[at]
  if type(each) == "string" then return each end
  made = made + 1
  return each[1] .. string.format("%08d", made) .. each[2]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('\n{"requests": %d, "seconds": %.6f, "bytes": %d, "p50_ms": %.3f, "p99_ms": %.3f, "connect": %d, "read": %d, "write": %d, "timeout": %d, "status": %d}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, errors.connect, errors.read,
    errors.write, errors.timeout, errors.status))
end
