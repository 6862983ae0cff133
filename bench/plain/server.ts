// Plain use of Keyway's own packages, as their pages show it: Apollo Server's standalone starter, TypeGraphQL, TypeORM's
// repositories, and a DataLoader a request. What Keyway gains over this is its own doing.
import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { Length } from 'class-validator';
import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  InputType,
  Int,
  Mutation,
  Query,
  Resolver,
  Root,
  buildSchema,
} from 'type-graphql';
import { DataSource, LessThan } from 'typeorm';
import { makeLoaders, type PlainContext } from './loaders.js';
import { PlainAccount, PlainCredential, PlainCredentialRole, PlainProject, PlainRole } from './tables.js';

const db = new DataSource({
  type: 'postgres',
  url: process.env.DATABASE_URL ?? '',
  entities: [PlainAccount, PlainProject, PlainRole, PlainCredentialRole, PlainCredential],
});
const newKey = () => `AK${randomBytes(16).toString('hex')}`;

@InputType('CreateCredentialInput')
class PlainCreateInput {
  @Field(() => String) @Length(1, 200) name!: string;
  @Field(() => Int) accountId!: number;
  @Field(() => Int) projectId!: number;
  @Field(() => [Int]) roleIds!: number[];
}

@Resolver(() => PlainCredential)
class PlainResolver {
  private readonly table = db.getRepository(PlainCredential);

  @Query(() => [PlainCredential])
  credentials(
    @Arg('project', () => Int) projectId: number,
    @Arg('after', () => Int) after: number,
    @Arg('first', () => Int) first: number,
  ) {
    const where = { projectId, id: LessThan(after) };
    return this.table.find({ where, order: { id: 'DESC' }, take: Math.min(first, 100) });
  }

  @Query(() => PlainCredential, { nullable: true })
  credential(@Arg('id', () => Int) id: number) {
    return this.table.findOneBy({ id });
  }

  @Query(() => PlainCredential, { nullable: true })
  credentialByAccessKey(@Arg('accessKey', () => String) accessKey: string) {
    return this.table.findOneBy({ accessKey });
  }

  @Mutation(() => PlainCredential)
  createCredential(@Arg('input', () => PlainCreateInput) { roleIds, ...rest }: PlainCreateInput) {
    return db.transaction(async (tx) => {
      const made = await tx.save(
        PlainCredential,
        tx.create(PlainCredential, { ...rest, accessKey: newKey() }),
      );
      await tx.insert(
        PlainCredentialRole,
        roleIds.map((roleId) => ({ credentialId: made.id, roleId })),
      );
      return made;
    });
  }

  @Mutation(() => PlainCredential)
  rotateCredential(@Arg('id', () => Int) id: number) {
    return db.transaction(async (tx) => {
      const found = await tx.findOneByOrFail(PlainCredential, { id });
      found.accessKey = newKey();
      return tx.save(PlainCredential, found);
    });
  }

  @FieldResolver(() => PlainAccount)
  account(@Root() { accountId }: PlainCredential, @Ctx() { loaders }: PlainContext) {
    return loaders.account.load(accountId);
  }

  @FieldResolver(() => PlainProject)
  project(@Root() { projectId }: PlainCredential, @Ctx() { loaders }: PlainContext) {
    return loaders.project.load(projectId);
  }

  @FieldResolver(() => [PlainRole])
  roles(@Root() { id }: PlainCredential, @Ctx() { loaders }: PlainContext) {
    return loaders.roles.load(id);
  }
}

await db.initialize();
const schema = await buildSchema({ resolvers: [PlainResolver], validate: true });
const { url } = await startStandaloneServer(new ApolloServer<PlainContext>({ schema }), {
  listen: { port: 0, host: '127.0.0.1' },
  context: () => Promise.resolve({ loaders: makeLoaders(db) }),
});
console.log(url);
