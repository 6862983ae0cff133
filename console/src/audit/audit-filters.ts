import type { AuditFilter, AuditOutcome } from '../graph/documents.ts';
import { listIn, timeOf } from '../credentials/filters.ts';
import { texts } from '../texts.ts';

/** Every filter of the graph, by its name there: in the address it has the same one. */
export const auditFilters = ['action', 'outcome', 'actor', 'target', 'account', 'since', 'until'] as const;

/** @returns the filter that an address stands for. A day is the viewer's. */
export function auditFilterOf(address: URLSearchParams): AuditFilter {
  const lists = ['action', 'actor', 'target', 'account'] as const;
  const listed = lists.flatMap((name): [string, unknown][] => {
    const text = address.get(name);
    return text ? [[name, listIn(text)]] : [];
  });
  const days = (['since', 'until'] as const).flatMap((name): [string, unknown][] => {
    const text = address.get(name);
    return text ? [[name, timeOf(text)]] : [];
  });
  const outcome = address.get('outcome') ?? '';
  return {
    ...Object.fromEntries([...listed, ...days]),
    ...(Object.hasOwn(texts.outcome, outcome) && { outcome: [outcome as AuditOutcome] }),
  };
}
