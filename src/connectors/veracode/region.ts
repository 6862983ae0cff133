/**
 * Veracode's region, by its host (https://docs.veracode.com/r/Region_Domains_for_Veracode_APIs), or else by the seventh
 * letter of what stands before the hyphen of an API id; null where neither tells.
 */
export function veracodeRegion(endpoint: string, apiId: string): string | null {
  const { hostname } = new URL(endpoint);
  const [, domain] = /(?:^|\.)veracode\.(com|eu|us)$/.exec(hostname) ?? [];
  if (domain !== undefined) return byDomain[domain] ?? null;
  const [, letter] = /^[0-9A-Za-z]{6}([efg])[0-9A-Za-z]-/i.exec(apiId) ?? [];
  return letter === undefined ? null : (byLetter[letter.toLowerCase()] ?? null);
}

const byDomain: Record<string, string> = { com: 'global', eu: 'eu', us: 'fedramp' };
const byLetter: Record<string, string> = { g: 'global', e: 'eu', f: 'fedramp' };
