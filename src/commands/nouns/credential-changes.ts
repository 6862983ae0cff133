import { Option, type Command } from 'commander';
import { addChange, type Change } from '../change-command.js';
import type { Adding } from '../command.js';
import {
  credentialCreate,
  credentialDelete,
  credentialIssue,
  credentialReveal,
  credentialRevoke,
  credentialRotate,
  credentialUpdate,
  credentialVerify,
} from '../documents/credential-changes.js';
import { exitCodes } from '../failure.js';
import { flag } from '../flag-values.js';
import { issuedOptions, issuedVariables, writeIssued, writePart } from '../issued.js';
import { secretOptions, withSecret } from '../secret-input.js';
import { writeOne } from '../terminal/output.js';

/** The verbs that change a credential, show its secret or look at one that was presented. */
export function addCredentialChanges(credential: Command, adding: Adding): void {
  for (const change of changes()) addChange(credential, adding, change);
}

const one = flag('id', 'its id, its exact name or its access key', {
  name: 'credential',
  kind: 'credential',
  isRequired: true,
});

const revision = flag('expectedRevision', 'do it only if this is its revision', { kind: 'number' });

const fields = [
  flag('project', 'the project that it is in', { kind: 'project' }),
  flag('owner', 'the account that is responsible for it', { kind: 'account' }),
  flag('description', 'what it is for'),
  flag('category', 'a word of your choice'),
  flag('email', 'the e-mail address of the person who uses it'),
  flag('fullName', 'the full name of the person who uses it'),
  flag('enabled', 'whether it is switched on', { kind: 'boolean' }),
  flag('expiresAt', 'when it stops working: 90d is in 90 days', { kind: 'time' }),
  flag('allowedIps', 'an address or block that it may be used from', { name: 'allowed-ip', isList: true }),
  flag('roles', 'a role that it has', { name: 'role', kind: 'role', isList: true }),
  flag('baseUrl', 'the address of the server that the keys are for'),
  flag('rateLimit.uses', 'how many uses are allowed within --rate-window', {
    name: 'rate-uses',
    kind: 'number',
  }),
  flag('rateLimit.window', 'the length of time for --rate-uses', { name: 'rate-window', kind: 'duration' }),
  flag('remainingUses.count', 'how often it can still be used', { name: 'remaining-uses', kind: 'number' }),
  flag('rotationPolicy.every', 'have Keyway rotate it so often: 90d', {
    name: 'rotate-every',
    kind: 'duration',
  }),
  flag('rotationPolicy.gracePeriod', 'how long the previous secret lives then', {
    name: 'rotate-grace',
    kind: 'duration',
  }),
];

const issuing = {
  shows: 'issued',
  variables: issuedVariables,
  takesCode: true,
  after: (session, answer) => writeIssued(session, answer),
} satisfies Partial<Change>;

const changes = (): readonly Change[] => [
  {
    ...issuing,
    name: 'create',
    does: 'Creates one, and shows its secret: here alone, unless it is retrievable.',
    document: credentialCreate,
    argument: flag('name', 'a name for people', { isRequired: true }),
    flags: [
      flag('account', 'the account that it belongs to', { kind: 'account' }),
      flag('store', 'the store to create it in', { kind: 'store' }),
      flag('scope', 'the part of an outside store to create it in'),
      flag('retrievable', 'whether its secret can be revealed later', { kind: 'boolean' }),
      ...fields,
    ],
    options: [...secretOptions(), ...issuedOptions()],
    more: withSecret,
  },
  {
    name: 'update',
    does: 'Changes its fields, and not its secret.',
    document: credentialUpdate,
    shows: 'credential',
    argument: one,
    flags: [flag('name', 'a name for people'), revision, ...fields],
    clears: [
      'description',
      'category',
      'email',
      'full-name',
      'expires-at',
      'owner',
      'project',
      'base-url',
      'allowed-ips',
      'rate-limit',
      'remaining-uses',
      'rotation-policy',
    ],
    options: secretOptions(),
    more: withSecret,
    takesCode: true,
  },
  {
    ...issuing,
    name: 'rotate',
    does: 'Replaces its secret, and shows the new one.',
    document: credentialRotate,
    argument: one,
    flags: [
      flag('gracePeriod', 'how long the previous secret keeps working: 2h', {
        kind: 'duration',
        name: 'grace',
      }),
      revision,
    ],
    options: [...secretOptions(), ...issuedOptions()],
    more: withSecret,
  },
  {
    ...issuing,
    name: 'reveal',
    does: 'Shows its secret again, where it is retrievable. That is on record.',
    document: credentialReveal,
    argument: one,
    options: [
      new Option('--part <name>', 'only this part, such as secret, and nothing else'),
      ...issuedOptions(),
    ],
    isRepeatable: false,
    after: async (session, answer, given) =>
      typeof given['part'] === 'string'
        ? writePart(session, answer, given['part'])
        : writeIssued(session, answer),
  },
  {
    ...issuing,
    name: 'issue',
    does: 'Derives a temporary one from it.',
    document: credentialIssue,
    argument: { ...one, path: 'parent' },
    flags: [
      flag('duration', 'how long it works: 10m to 36h', { kind: 'duration' }),
      flag('roles', 'a role of the parent that it has; all, if left out', {
        name: 'role',
        kind: 'role',
        isList: true,
      }),
      flag('allowedIps', 'an address of the parent that it may be used from', {
        name: 'allowed-ip',
        isList: true,
      }),
      flag('retrievable', 'whether its secret can be revealed while it works', { kind: 'boolean' }),
    ],
    options: issuedOptions(),
  },
  {
    name: 'revoke',
    does: 'Ends it, and all that was derived from it, at once and for good.',
    document: credentialRevoke,
    shows: 'credential',
    argument: one,
    flags: [flag('reason', 'why, for the record')],
    isFinal: true,
  },
  {
    name: 'delete',
    does: 'Revokes it, and takes it out of all lists.',
    document: credentialDelete,
    shows: 'credential',
    argument: one,
    isFinal: true,
  },
  {
    name: 'verify',
    does: 'Says whether a secret is good that was presented; it is asked for, or a line of standard input.',
    document: credentialVerify,
    shows: 'verification',
    argument: flag('accessKey', 'the access key or user name that came with it; a token has none', {
      name: 'access-key',
    }),
    flags: [
      flag('ip', 'the address that it was presented from'),
      flag('project', 'the project that it must be in', { kind: 'project' }),
      flag('roles', 'a role that it must have, by its name', { name: 'role', isList: true }),
      flag('cost', 'how many uses it counts as', { kind: 'number' }),
    ],
    isRepeatable: false,
    more: async (session, input) => ({
      proof: { secret: await session.questions.secret('secret') },
      ...input,
    }),
    after: async ({ terminal, form }, answer) => {
      writeOne(terminal, form, answer);
      return answer['valid'] === true ? exitCodes.done : exitCodes.notValid;
    },
  },
];
