import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { AnsweredRequest, StoreCall, Telemetry } from './telemetry.js';

/**
 * Counts what it is told. Each label has few values, all of them words of Keyway's own: routes, codes, kinds of stores, names
 * of limits and jobs.
 */
export class Meters implements Omit<Telemetry, 'begin' | 'within'> {
  readonly #requests;
  readonly #refusals;
  readonly #verifications;
  readonly #calls;
  readonly #jobSuccess;
  readonly #jobFailures;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#requests = new Histogram({
      name: 'keyway_request_duration_seconds',
      help: 'Requests, by how long they took until the answer was sent.',
      labelNames: ['route', 'kind', 'code'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
    this.#refusals = new Counter({
      name: 'keyway_refusals_total',
      help: 'What was refused for a limit, by the name of the limit.',
      labelNames: ['limit'],
      registers,
    });
    this.#verifications = new Counter({
      name: 'keyway_verifications_total',
      help: 'Credentials that were presented, by the code of the verification.',
      labelNames: ['code'],
      registers,
    });
    this.#calls = new Histogram({
      name: 'keyway_store_call_duration_seconds',
      help: 'Calls to outside stores, by how long they took; each retry is a call.',
      labelNames: ['vendor', 'result'],
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
    this.#jobSuccess = new Gauge({
      name: 'keyway_job_last_success_timestamp_seconds',
      help: 'When a job has succeeded last, in seconds since 1970; of several processes the latest.',
      labelNames: ['name'],
      aggregator: 'max',
      registers,
    });
    this.#jobFailures = new Counter({
      name: 'keyway_job_failures_total',
      help: 'How often a job has failed.',
      labelNames: ['name'],
      registers,
    });
  }

  answered({ route = 'none', kind, code, limit, status, seconds }: AnsweredRequest): void {
    const known = code ?? (status < 400 ? 'OK' : status < 500 ? 'BAD_REQUEST' : 'INTERNAL_SERVER_ERROR');
    this.#requests.observe({ route, kind: kind ?? 'none', code: known }, seconds);
    if (limit !== undefined || known === 'RATE_LIMITED' || known === 'LIMIT_EXCEEDED')
      this.refused(limit ?? 'other');
  }

  refused(limit: string): void {
    this.#refusals.inc({ limit });
  }

  verified(code: string): void {
    this.#verifications.inc({ code });
  }

  called({ vendor, result, seconds }: StoreCall): void {
    this.#calls.observe({ vendor, result }, seconds);
  }

  jobEnded(job: string, hasFailed: boolean): void {
    if (hasFailed) this.#jobFailures.inc({ name: job });
    else this.#jobSuccess.set({ name: job }, Date.now() / 1_000);
  }
}
