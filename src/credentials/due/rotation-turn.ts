import { Column, Entity, PrimaryColumn } from 'typeorm';

/** When the next of the credentials that one owner answers for may be rotated by itself. */
@Entity('rotation_turns')
export class RotationTurn {
  @PrimaryColumn('uuid', { name: 'owner_id' })
  ownerId: string;

  @Column('timestamptz', { name: 'next_at' })
  nextAt: string;
}
