import type { Step } from './trial.js';
import { apinizer, landscape, ncloud, seqera, veracode } from './vendors.js';

const whens = ['before', 'after'] as const;
const suspends = { method: 'PUT', path: /\/access-keys$/ };
const removes = { method: 'DELETE', path: /\/access-keys$/ };
const probes = { method: 'GET', path: /\/credentials$/ };

const each = (name: string, step: Omit<Step, 'at'>, match?: NonNullable<Step['at']>['match']) =>
  whens.map((when): [string, Step] => [
    `${name}, ${when} it is done`,
    { ...step, at: { when, ...(match && { match }) } },
  ]);

/** Every step after which a process can die, of every write, in each class of store. */
export const steps: [name: string, step: Step][] = [
  ...each('A: Seqera sets keys', { verb: 'rotate', vendor: seqera, ends: 'done' }),
  ...each('A: Apinizer sets a password', { verb: 'rotate', vendor: apinizer, ends: 'done' }),
  ...each('B: NAVER Cloud makes a key', { verb: 'rotate', vendor: ncloud, ends: 'done' }),
  ...each('B: the new key is tried', { verb: 'rotate', vendor: ncloud, ends: 'done' }, probes),
  ['B: the switch is made', { verb: 'rotate', vendor: ncloud, grace: 'PT1H', ends: 'switched' }],
  ...each(
    'B: the previous key is suspended',
    { verb: 'rotate', vendor: ncloud, answered: true, ends: 'done' },
    suspends,
  ),
  ...each(
    'B: the previous key is deleted',
    { verb: 'rotate', vendor: ncloud, answered: true, ends: 'done' },
    removes,
  ),
  ...each('C: Veracode makes a pair', { verb: 'rotate', vendor: veracode, ends: 'unknown' }),
  ...each('C: Landscape makes a pair', { verb: 'rotate', vendor: landscape, ends: 'done' }),
  ...each('Seqera takes new keys in', { verb: 'create', vendor: seqera, ends: 'done' }),
  ...each('Apinizer makes a user', { verb: 'create', vendor: apinizer, ends: 'done' }),
  ...each('NAVER Cloud makes a first key', { verb: 'create', vendor: ncloud, ends: 'done' }),
  ...each('Veracode makes a first pair', { verb: 'create', vendor: veracode, ends: 'unknown' }),
  ...each('Landscape makes a first pair', { verb: 'create', vendor: landscape, ends: 'done' }),
  [
    'Apinizer changes a user, before it is done',
    { verb: 'update', vendor: apinizer, at: { when: 'before' }, askedAgain: true, ends: 'done' },
  ],
  [
    'Apinizer changes a user, after it is done',
    { verb: 'update', vendor: apinizer, at: { when: 'after' }, ends: 'done' },
  ],
  ...each('Seqera ends keys', { verb: 'revoke', vendor: seqera, ends: 'done' }),
  ...each('Apinizer ends a user', { verb: 'revoke', vendor: apinizer, ends: 'done' }),
  ...each('NAVER Cloud ends a key', { verb: 'revoke', vendor: ncloud, ends: 'done' }),
  ...each('Veracode ends a pair', { verb: 'revoke', vendor: veracode, ends: 'done' }),
];
