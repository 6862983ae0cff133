import { type Principal } from '../../access/principal.js';
import { rightsOf } from '../../access/rights.js';
import { adminAccountId } from '../../accounts/account.js';
import { Decisions } from '../../audit/decisions.js';
import { registry } from '../../connectors/registry.js';
import { unlimited, type RequestContext } from '../../access/context.js';
import { LastUsed } from '../../credentials/record/last-used.js';
import { Syncs } from '../../credentials/sync/syncs.js';
import { newId } from '../../ids.js';
import type { Keyway } from '../keyway.js';
import type { Log } from '../../log.js';
import type { WatchedGates } from '../../stores/gate.js';
import { noTelemetry } from '../../telemetry/telemetry.js';

/** What requests of the administrator carry, outside of any server; each verb gets one of its own. */
export interface Requests {
  next: () => RequestContext;
  /** Writes what still waits, and waits for what still runs. */
  finish: () => Promise<void>;
}

/**
 * Requests as the administrator would send them.
 * @param credentialId what the administrator is told apart by on record
 * @param local whether stores may be on this machine, and called by http
 */
export async function requestsOf(
  { db, keyring }: Keyway,
  log: Log,
  credentialId: string | null,
  gates: WatchedGates,
  local: boolean,
): Promise<Requests> {
  const granted = { rights: await rightsOf(db, adminAccountId, null), roles: new Map() };
  const principal: Principal = {
    accountId: adminAccountId,
    tenantId: adminAccountId,
    credentialId: credentialId ?? newId(),
    credentialVersion: null,
    identity: null,
    ...granted,
    granted,
    limits: null,
    expiresAt: null,
    allowedIps: [],
    mfaRequired: false,
    holds: null,
    parentId: null,
  };
  const decisions = new Decisions(db, keyring, log);
  const lastUsed = new LastUsed(db, log);
  const parts = { db, keyring, connectors: registry, gates, log };
  const syncs = new Syncs(parts, 0);
  return {
    next: () => ({
      ...parts,
      requestId: newId(),
      at: db.now(),
      principal,
      ip: undefined,
      left: new AbortController().signal,
      syncs,
      change: { verbs: 0, made: false, earlier: false },
      asked: {},
      outboundHttp: local,
      issuers: new Set(),
      claimedRoles: [],
      decisions,
      lastUsed,
      telemetry: noTelemetry,
      outcome: {},
      revokesAlone: false,
      elsewhere: (work) => work(),
      allowance: unlimited,
    }),
    finish: async () => {
      await syncs.stop();
      await lastUsed.flush();
      await decisions.flush();
    },
  };
}
