import { AuditOutcome } from '../../src/audit/audit-event.js';
import { callerOf, decisionOf, endedBy, eventOf, nobody } from '../../src/audit/decision.js';
import { codes } from '../../src/errors.js';

const what = { action: 'credential:rotate', accountId: 'account' };

test('a decision has a value for each column, whatever is left out', () => {
  expect(decisionOf(nobody(), what)).toEqual({
    accountId: 'account',
    projectId: null,
    actorId: null,
    actorCredentialId: null,
    action: 'credential:rotate',
    outcome: AuditOutcome.DONE,
    code: null,
    targetType: null,
    targetId: null,
    recipientId: null,
    ip: null,
    requestId: 'keyway',
  });
});

test('a decision tells who, what, where and how it ended, and nothing else of who it was', () => {
  const who = { actorId: 'actor', actorCredentialId: 'token', ip: '192.0.2.1', requestId: 'request' };
  const target = { type: 'Credential' as const, id: 'credential' };
  const decision = decisionOf(
    { ...who, ...{ id: 'an intent', fence: 2 } },
    { ...what, target, projectId: 'project', recipientId: 'recipient' },
    { outcome: AuditOutcome.FAILED, code: 'CONFLICT' },
  );
  expect(decision).toEqual({
    ...who,
    ...what,
    projectId: 'project',
    targetType: 'Credential',
    targetId: 'credential',
    recipientId: 'recipient',
    outcome: AuditOutcome.FAILED,
    code: 'CONFLICT',
  });
  expect(eventOf(decision, ['secret'])).toEqual({ ...decision, changed: ['secret'], times: 1, ended: null });
  expect(eventOf(decision)).toEqual({ ...decision, changed: [], times: 1, ended: null });
});

test.each([
  ['an address', '192.0.2.1', '192.0.2.1'],
  ['an address that cannot be trusted', undefined, null],
])('a caller is told by account, credential and request, with %s', (_, ip, told) => {
  const principal = { accountId: 'account', credentialId: null } as Parameters<
    typeof callerOf
  >[0]['principal'];
  expect(callerOf({ principal, ip, requestId: 'request' })).toEqual({
    actorId: 'account',
    actorCredentialId: null,
    ip: told,
    requestId: 'request',
  });
});

test('an error turned somebody away, or went wrong', () => {
  const refused = Object.keys(codes).filter((code) => endedBy(code).outcome === AuditOutcome.REFUSED);
  expect(refused.sort()).toEqual([
    'FORBIDDEN',
    'LIMIT_EXCEEDED',
    'NOT_FOUND',
    'RATE_LIMITED',
    'UNAUTHENTICATED',
  ]);
  for (const code of Object.keys(codes)) expect(endedBy(code).code).toBe(code);
});
