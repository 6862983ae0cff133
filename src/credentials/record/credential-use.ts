import { Column, Entity, PrimaryColumn } from 'typeorm';
import { sql } from '../../database/database.js';

/** When a credential was last used. Apart from the credential, because it changes with every use. */
@Entity('credential_uses')
export class CredentialUse {
  @PrimaryColumn('uuid', { name: 'credential_id' })
  credentialId: string;

  /** `-infinity` until it is used. */
  @Column('timestamptz', { name: 'last_used_at', default: () => "'-infinity'" })
  lastUsedAt: string;

  /** The last use, or the creation. */
  @Column('timestamptz', { name: 'unused_since' })
  unusedSince: string;
}

/** The row of a credential that is made in the same transaction. */
export const noUseYet = sql('INSERT INTO credential_uses (credential_id, unused_since) VALUES (:id, now())');
