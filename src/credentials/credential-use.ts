import { Column, Entity, PrimaryColumn } from 'typeorm';

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
