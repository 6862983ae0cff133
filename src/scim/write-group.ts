import { authorize } from '../access/authorize.js';
import type { RequestContext } from '../access/context.js';
import { Permission } from '../access/principal.js';
import { decidedByNow, whileAllowed } from '../access/standing.js';
import { holdAccounts } from '../accounts/find.js';
import { recordAll } from '../audit/record.js';
import { sql, violates, type Tx } from '../database/database.js';
import { notFound } from '../errors.js';
import { newId } from '../ids.js';
import { alignGrants, takeTurn } from './align-grants.js';
import { keyOfName, type Directory } from './directory.js';
import { groupById } from './find-groups.js';
import { versionSql } from './find-users.js';
import { noMember, type FoundGroup, type GroupChange } from './group.js';
import { taken } from './refusal.js';
import { expectVersion } from './write-user.js';

/**
 * Makes a group with its members, who hold what the setting has it bring from then on, in one transaction.
 * @throws ScimRefusal uniqueness for a displayName in use, invalidValue for who is no user of the directory
 */
export async function createGroup(
  ctx: RequestContext,
  directory: Directory,
  change: GroupChange & { displayName: string },
): Promise<FoundGroup> {
  const id = newId();
  const { displayName, externalId = null } = change;
  await keeping(ctx, directory, async (now, tx) => {
    await holdAccounts(tx, [directory.id]);
    await takeTurn(tx, directory);
    const row = { id, directory: directory.id, displayName, key: keyOfName(displayName), externalId };
    await once(() => tx.rows(insert, row));
    const members = await keepMembers(tx, directory, id, change);
    await conclude(now, tx, directory, 'group:create', members, []);
  });
  return groupById(ctx, directory, id);
}

/**
 * Changes a group, and what its members hold with it, in one transaction: whoever is no member any more holds nothing by it
 * from the answer on.
 * @param expected an ETag that the group must have; any, where undefined
 * @throws NOT_FOUND; ScimRefusal as `createGroup`, and 412 for another version than the one expected
 */
export async function changeGroup(
  ctx: RequestContext,
  directory: Directory,
  id: string,
  expected: string | undefined,
  change: GroupChange,
): Promise<FoundGroup> {
  const { id: group } = await groupById(ctx, directory, id);
  await keeping(ctx, directory, async (now, tx) => {
    const before = await lockGroup(tx, directory, group);
    expectVersion(before, expected);
    const { displayName = before.displayName, externalId = before.externalId } = change;
    const changed = [
      ...(displayName === before.displayName ? [] : ['displayName']),
      ...(externalId === before.externalId ? [] : ['externalId']),
    ];
    const members = await keepMembers(tx, directory, group, change);
    if (members.length > 0) changed.push('members');
    if (changed.length === 0) return;
    await once(() => tx.rows(update, { id: group, displayName, key: keyOfName(displayName), externalId }));
    const isRenamed = keyOfName(displayName) !== keyOfName(before.displayName);
    await conclude(now, tx, directory, 'group:update', isRenamed ? null : members, changed);
  });
  return groupById(ctx, directory, id);
}

/** Deletes a group: its members hold nothing by it from the answer on. @throws NOT_FOUND; ScimRefusal 412 */
export async function deleteGroup(
  ctx: RequestContext,
  directory: Directory,
  id: string,
  expected: string | undefined,
): Promise<void> {
  const { id: group } = await groupById(ctx, directory, id);
  await keeping(ctx, directory, async (now, tx) => {
    expectVersion(await lockGroup(tx, directory, group), expected);
    await tx.rows(remove, { id: group });
    await conclude(now, tx, directory, 'group:delete', null, []);
  });
}

/** A transaction of who keeps the directory, by now too. */
const keeping = (
  ctx: RequestContext,
  { id }: Directory,
  work: (now: RequestContext, tx: Tx) => Promise<void>,
): Promise<void> =>
  decidedByNow(ctx, (now) => {
    authorize(now.principal, Permission.ACCOUNT_MANAGE, { accountId: id, about: { type: 'Account', id } });
    return whileAllowed(now, (tx) => work(now, tx));
  });

async function lockGroup(tx: Tx, directory: Directory, id: string): Promise<Locked> {
  await takeTurn(tx, directory);
  const [group] = await tx.rows<Locked>(locked, { id, directory: directory.id });
  if (!group) throw notFound();
  return group;
}

type Locked = Pick<FoundGroup, 'displayName' | 'externalId' | 'version'>;

/** @returns who was no member before, and who is none any more. @throws ScimRefusal invalidValue */
async function keepMembers(
  tx: Tx,
  { id: directory }: Directory,
  group: string,
  { replacesMembers, added, removed }: GroupChange,
): Promise<string[]> {
  const accounts = [...added];
  const named = { group, directory, accounts };
  const lost = replacesMembers
    ? await tx.rows<Member>(removeOthers, named)
    : removed.size > 0
      ? await tx.rows<Member>(removeMembers, { group, accounts: [...removed] })
      : [];
  if (accounts.length === 0) return lost.map(({ account }) => account);
  const held = await tx.rows<Member>(heldMembers, named);
  if (held.length < accounts.length) throw noMember();
  const won = await tx.rows<Member>(addMembers, named);
  return [...lost, ...won].map(({ account }) => account);
}

interface Member {
  account: string;
}

/** What the groups bring, and the events: last, since they hold the chains of the audit. */
async function conclude(
  ctx: RequestContext,
  tx: Tx,
  directory: Directory,
  action: 'group:create' | 'group:update' | 'group:delete',
  members: readonly string[] | null,
  changed: string[],
): Promise<void> {
  const deeds = members?.length === 0 ? [] : await alignGrants(tx, directory, members);
  const target = { type: 'Account' as const, id: directory.id };
  await recordAll(ctx, tx, [...deeds, { action, target, accountId: directory.id, changed }]);
}

async function once<Result>(write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    if (violates(error, 'scim_groups_once')) throw taken('The displayName is in use.');
    throw error;
  }
}

const insert = sql(`
  INSERT INTO scim_groups (id, directory_id, display_name, name_key, external_id)
  VALUES (:id, :directory, :displayName, :key, :externalId)`);
const update = sql(`
  UPDATE scim_groups SET display_name = :displayName, name_key = :key, external_id = :externalId, updated_at = now()
  WHERE id = :id`);
const remove = sql('DELETE FROM scim_groups WHERE id = :id');
const locked = sql(`
  SELECT g.display_name AS "displayName", g.external_id AS "externalId", ${versionSql('g')} AS version
  FROM scim_groups g WHERE g.id = :id AND g.directory_id = :directory FOR UPDATE`);
const removeOthers = sql(`
  DELETE FROM scim_members WHERE group_id = :group AND account_id <> ALL(CAST(:accounts AS uuid[]))
  RETURNING account_id AS account`);
const removeMembers = sql(`
  DELETE FROM scim_members WHERE group_id = :group AND account_id = ANY(CAST(:accounts AS uuid[]))
  RETURNING account_id AS account`);
// Kept from being deleted, to the end of the transaction.
const heldMembers = sql(`
  SELECT a.id AS account FROM scim_users u JOIN accounts a ON a.id = u.account_id
  WHERE u.directory_id = :directory AND a.parent_id = :directory AND a.deleted_at IS NULL
    AND u.account_id = ANY(CAST(:accounts AS uuid[]))
  ORDER BY a.id FOR SHARE OF a`);
const addMembers = sql(`
  INSERT INTO scim_members (group_id, account_id) SELECT CAST(:group AS uuid), unnest(CAST(:accounts AS uuid[]))
  ON CONFLICT DO NOTHING RETURNING account_id AS account`);
