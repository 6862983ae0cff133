// The peers' tables as TypeORM's entities, which are GraphQL types as well.
import { Field, Int, ObjectType } from 'type-graphql';
import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, UpdateDateColumn } from 'typeorm';

@ObjectType()
@Entity('account')
export class PlainAccount {
  @Field(() => Int) @PrimaryGeneratedColumn() id!: number;
  @Field(() => String) @Column('text') name!: string;
}

@ObjectType()
@Entity('project')
export class PlainProject {
  @Field(() => Int) @PrimaryGeneratedColumn() id!: number;
  @Field(() => String) @Column('text') name!: string;
}

@ObjectType()
@Entity('role')
export class PlainRole {
  @Field(() => Int) @PrimaryGeneratedColumn() id!: number;
  @Field(() => String) @Column('text') name!: string;
}

@Entity('credential_role')
export class PlainCredentialRole {
  @Column('int', { name: 'credential_id', primary: true }) credentialId!: number;
  @Column('int', { name: 'role_id', primary: true }) roleId!: number;
}

@ObjectType()
@Entity('credential')
export class PlainCredential {
  @Field(() => Int) @PrimaryGeneratedColumn() id!: number;
  @Field(() => String) @Column('text') name!: string;
  @Field(() => String) @Column('text', { default: 'ACCESS_KEY' }) kind!: string;
  @Field(() => String) @Column('text', { default: 'ACTIVE' }) status!: string;
  @Column('int', { name: 'account_id' }) accountId!: number;
  @Column('int', { name: 'project_id' }) projectId!: number;
  @Field(() => String) @Column('text', { name: 'access_key' }) accessKey!: string;
  @Field(() => Date) @CreateDateColumn({ name: 'created_at', type: 'timestamptz' }) createdAt!: Date;
  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz' }) updatedAt!: Date;
}
