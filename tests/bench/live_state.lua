-- Each request reports the start of another broadcast; the result is one line for a program to read.
local threads = 0

function setup(thread)
  thread:set("thread_number", threads)
  threads = threads + 1
end

function init(args)
  label, host, sent = args[1], args[2], 0
  headers = { ["Content-Type"] = "application/x-www-form-urlencoded", ["Host"] = host }
end

function request()
  sent = sent + 1
  local body = "version=2018-11-01&service_account_key=acme&channel_key=k7q2m9x4b1z8t5ra&stream_key=p3v9c6hd"
    .. "&broadcast_key=" .. label .. "-" .. thread_number .. "-" .. sent .. "&broadcast_state=start"
  return wrk.format("POST", nil, headers, body)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), latency.max, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
