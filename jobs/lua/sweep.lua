-- KEYS: lane. ARGV: group, consumer, idle_ms.
-- Forget this worker's name, and the names of workers long gone, where no job hangs on them.
local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])
if consumers.err then
  return 0
end
for i = 1, #consumers do
  local about = {}
  for j = 1, #consumers[i], 2 do
    about[consumers[i][j]] = consumers[i][j + 1]
  end
  if about.pending == 0 and (about.name == ARGV[2] or about.idle > tonumber(ARGV[3])) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], about.name)
  end
end
return 1
