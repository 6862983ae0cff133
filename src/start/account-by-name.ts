import { IsNull } from 'typeorm';
import { Account } from '../accounts/account.js';
import type { Database } from '../database/database.js';

/** The account that whoever is at the machine itself means. @throws an Error to show, where there is none. */
export async function accountByName({ source }: Database, name: string): Promise<Account> {
  const account = await source.getRepository(Account).findOneBy({ name, deletedAt: IsNull() });
  if (!account) throw new Error('There is no account of that name.');
  return account;
}
