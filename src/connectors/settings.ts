import type { Upstream } from './connector.js';

type Settings = Pick<Upstream, 'settings'>;

/** A setting that is one text, or a number; null where it is not there. */
export function textSetting({ settings }: Settings, name: string): string | null {
  const value = settings[name];
  return value === undefined || value === '' || typeof value === 'object' ? null : String(value);
}

/** A setting that is a list of texts, none of which is there twice; empty where it is not there. */
export function listSetting({ settings }: Settings, name: string): readonly string[] {
  const value = settings[name];
  return value === undefined ? [] : [...new Set(typeof value === 'object' ? value : [String(value)])];
}
