import { Entity, PrimaryColumn } from 'typeorm';

/** A role that a credential carries. */
@Entity('credential_roles')
export class CredentialRole {
  @PrimaryColumn('uuid', { name: 'credential_id' })
  credentialId: string;

  @PrimaryColumn('uuid', { name: 'role_id' })
  roleId: string;
}
