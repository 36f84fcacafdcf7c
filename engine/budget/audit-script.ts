/**
 * The Lua that compares a subject's buckets with its entries, and repairs them. The caller has summed up the entries to
 * an id of each day's stream; this script adds the few newer ones, so that none is missed and no step has to wait. If
 * there are more than `most`, it changes nothing: the caller reads on, once for all subjects, and asks again. So no
 * call blocks the shard, however many entries and subjects there are.
 *
 * KEYS the subject's hash, then the streams of days. The answer is JSON: the differences; "moved" if the subject's
 * windows have changed since the caller read them (`was`); or "behind".
 */
import { script } from '../../platform/redis/lua-script.ts';
import { SUMS } from './books-script.ts';

export const AUDIT = script(`${SUMS}
local ask = cjson.decode(ARGV[1])
if (redis.call('HGET', KEYS[1], 'windows') or '') ~= ask.was then return '"moved"' end
local left = ask.most
for index, last in ipairs(ask.after) do
  local page = redis.call('XRANGE', KEYS[1 + index], last == '' and '-' or '(' .. last, '+', 'COUNT', left + 1)
  if #page > left then return '"behind"' end
  left = left - #page
  for _, item in ipairs(page) do
    local entry, fields = {}, item[2]
    for n = 1, #fields, 2 do entry[fields[n]] = fields[n + 1] end
    if entry[ask.kind] == ask.id then
      local on = tonumber(entry.on)
      for _, range in ipairs(ask.ranges) do
        if on >= range.from and on < range.to then
          add(range.sums, {tonumber(entry.spentTokens), tonumber(entry.reservedTokens),
            tonumber(entry.spentMicroUsd), tonumber(entry.reservedMicroUsd)})
        end
      end
    end
  end
end
local differences = {}
for _, range in ipairs(ask.ranges) do
  local stored, right = redis.call('HGET', KEYS[1], range.field), packedOf(range.sums)
  if (stored or '0 0 0 0') ~= right then
    differences[#differences + 1] = {field = range.field, stored = stored or '0 0 0 0', right = right}
    if ask.repair then redis.call('HSET', KEYS[1], range.field, right) end
  end
end
if ask.windows ~= '' then
  redis.call('HSET', KEYS[1], 'windows', ask.windows)
  redis.call('PEXPIRE', KEYS[1], ask.keepMs)
end
if #differences == 0 then return '[]' end
return cjson.encode(differences)
`);
