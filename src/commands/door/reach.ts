import type { CallerSettings } from '../../config/caller.js';
import { CommandFailure, noSuch } from '../failure.js';
import { callAddress } from './address.js';
import type { Reached } from './graph.js';
import { readProfiles } from './profiles.js';

/** Where a Keyway is that was started as it comes. */
export const usualAddress = 'http://127.0.0.1:4000';

/**
 * Which Keyway is called, and with what. Address and token come from one place, so that no token goes to an address that it
 * is not for: the profile that is named, or else the environment where it says either of them, or else the current profile.
 * @throws CommandFailure where there is no token, or the address is none
 */
export function reach(caller: CallerSettings, named: string | undefined, isInsecure: boolean): Reached {
  const isByEnvironment = named === undefined && (caller.url !== undefined || caller.token !== undefined);
  if (isByEnvironment) {
    if (!caller.token) throw withoutToken('KEYWAY_URL is set, and KEYWAY_TOKEN is not.');
    return { url: callAddress(caller.url ?? usualAddress, isInsecure), token: caller.token };
  }
  const { current, named: profiles } = readProfiles(caller.folder);
  const wanted = named ?? caller.profile;
  const name = wanted ?? current;
  const profile = name !== undefined && Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile) return { url: callAddress(profile.url, isInsecure), token: profile.token };
  if (wanted !== undefined) throw noSuch('profile');
  throw withoutToken('There is no token: nobody has logged in here.');
}

const withoutToken = (message: string) => new CommandFailure('UNAUTHENTICATED', message);
