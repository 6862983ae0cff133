import { resourceFromAttributes, type Resource } from '@opentelemetry/resources';

/** Who sends traces and metrics: a process of Keyway, from its start to its end. */
export interface Instance {
  readonly id: string;
  /** Of Keyway. */
  readonly version: string;
}

/** What a collector tells it from others by: https://opentelemetry.io/docs/specs/semconv/resource/service/ */
export const resourceOf = ({ id, version }: Instance): Resource =>
  resourceFromAttributes({
    'service.name': 'keyway',
    'service.version': version,
    'service.instance.id': id,
  });
