import { Ctx, Query, Resolver } from 'type-graphql';
import { Permission } from '../access/principal.js';
import { insightCost } from '../config/limits.js';
import type { RequestContext } from '../access/context.js';
import { Costs, Needs } from '../inputs/declared.js';
import { KeyringKey, KeyringKeyKind } from './keyring-key.js';

@Resolver()
export class KeyringKeyResolver {
  @Query(() => [KeyringKey], {
    description:
      'The keys that Keyway itself seals and verifies with, the oldest of each kind first, and how far a change of them is. Empty for a viewer who may not read the whole audit log (AUDIT_READ everywhere).',
  })
  @Needs(Permission.AUDIT_READ)
  @Costs(insightCost)
  async keyringKeys(@Ctx() { db, principal, keyStandings }: RequestContext): Promise<KeyringKey[]> {
    if (!keyStandings || !principal.rights.get(Permission.AUDIT_READ)?.everywhere) return [];
    const standings = await keyStandings(db);
    return standings.map(({ kind, id, isCurrent, left }) => ({
      kind: kinds[kind],
      id,
      current: isCurrent,
      left,
    }));
  }
}

const kinds = {
  kek: KeyringKeyKind.KEK,
  verifier: KeyringKeyKind.VERIFIER,
  pepper: KeyringKeyKind.PEPPER,
  audit: KeyringKeyKind.AUDIT,
};
