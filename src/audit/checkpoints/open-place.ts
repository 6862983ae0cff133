import type { CheckpointsAt } from '../../config/checkpoints-at.js';
import { CheckpointFolder } from './folder.js';
import type { CheckpointPlace } from './place.js';

/** @throws an Error to show, which names the setting, where the place cannot be read */
export async function openCheckpointPlace(at: CheckpointsAt): Promise<CheckpointPlace> {
  switch (at.kind) {
    case 'folder':
      return new CheckpointFolder(at.path);
    case 'postgres':
      return (await import('./postgres.js')).CheckpointTable.open(setting, at.url);
    case 's3':
      return (await import('./bucket.js')).CheckpointBucket.open(setting, at);
  }
}

const setting = 'KEYWAY_CHECKPOINTS';
