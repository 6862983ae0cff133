import type { Config } from '../../config/config.js';
import type { Database } from '../../database/database.js';
import { replicaOf } from '../keyway.js';
import { lookAt, type Finding } from './finding.js';

/** Whether queries would be read from the server that follows; nothing, where none is set. */
export async function ofReplica({ databaseReadUrl }: Config, db: Database): Promise<readonly Finding[]> {
  let trouble: unknown;
  const replica = replicaOf(
    db,
    { databaseReadUrl, databasePool: 2 },
    undefined,
    (found) => (trouble = found),
  );
  if (!replica) return [];
  try {
    return await lookAt('replica', async (say) => {
      await replica.opened();
      const { db: from } = await replica.forQuery(db);
      if (from !== db) return [say.ok('it has all that the primary has, and queries are read from it')];
      const why = trouble instanceof Error ? trouble.message : 'the replica is behind the primary';
      return [
        say.warning(
          `${why}: queries are read from the primary`,
          'look at its log, and at pg_stat_replication',
        ),
      ];
    });
  } finally {
    await replica.close();
  }
}
