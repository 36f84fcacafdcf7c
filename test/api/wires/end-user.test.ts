import { describe, expect, test } from '@jest/globals';
import { endUserOf } from '../../../api/wires/end-user.ts';

const DEVICE = 'ab'.repeat(32);
const ACCOUNT = '0f8fad5b-d9cb-469f-a165-70867728950e';
const sessions = ['6fa459ea-ee8a-3ca4-894e-db77e160355e', '16fd2706-8baf-433b-82eb-8c7fada847da'];
const usersOf = (nameOf: (session: string) => string) =>
  new Set(sessions.map((session) => endUserOf(nameOf(session)).user));

describe('an end user', () => {
  test('is one for all sessions of an agent, by its account or else its device (F18)', () => {
    const json = (account_uuid: string) => (session_id: string) =>
      JSON.stringify({ device_id: DEVICE, account_uuid, session_id });
    expect(usersOf(json(ACCOUNT))).toEqual(new Set([ACCOUNT]));
    expect(usersOf(json(''))).toEqual(new Set([DEVICE]));
    const plain = (account: string) => (session: string) =>
      `user_${DEVICE}_account_${account}_session_${session}`;
    expect(usersOf(plain(ACCOUNT))).toEqual(new Set([ACCOUNT]));
    expect(usersOf(plain(''))).toEqual(new Set([DEVICE]));
    const other = (sessionId: string) => JSON.stringify({ sessionId, team: 'a', seat: 7 });
    expect(usersOf(other).size).toBe(1);
    expect(usersOf(other)).toEqual(usersOf((session) => JSON.stringify({ seat: 7, team: 'a', session })));
  });

  test('is the name as it is, or its hash if it is no valid id', () => {
    expect(endUserOf('anna@example.com')).toEqual({ user: 'anna@example.com' });
    expect(endUserOf('Anna B.').user).toMatch(/^user_[0-9a-f]{32}$/);
    expect(endUserOf('{"session_id":"only"}').user).toMatch(/^user_[0-9a-f]{32}$/);
    expect(endUserOf('{not json').user).toMatch(/^user_[0-9a-f]{32}$/);
    expect(endUserOf('')).toEqual({});
  });
});
