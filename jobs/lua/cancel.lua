-- KEYS: job, result, inputs. ARGV: group, id, meta, body, result_ttl_ms.
return call_off(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5])
