import type { Command } from 'commander';
import { addCommand, type Adding } from './command.js';
import { callAddress } from './door/address.js';
import { askGraph } from './door/graph.js';
import { readProfiles, writeProfiles } from './door/profiles.js';
import { usualAddress } from './door/reach.js';
import { loginQuery, whoamiQuery } from './documents/viewer.js';
import { noSuch, wrongUsage } from './failure.js';
import { flag } from './flag-values.js';
import { writeOne } from './terminal/output.js';
import { plain } from './terminal/plain.js';
import type { Fields } from './terminal/texts.js';

/** `keyway login`, `logout` and `whoami`. */
export function addLogin(program: Command, adding: Adding): void {
  addCommand(
    program,
    adding,
    {
      name: 'login',
      does: 'Keeps an address and a token as a profile. The token is asked for, or read from standard input.',
      argument: flag(
        'url',
        `the address of the Keyway, such as https://keyway.example.com; ${usualAddress}, if left out`,
      ),
    },
    async ({ terminal, questions }, given) => {
      const name = profileIn(given);
      const url = callAddress(
        (given['url'] as string | undefined) ?? usualAddress,
        given['insecure'] === true,
      );
      const profiles = readProfiles(terminal.caller.folder);
      const token = await questions.secret('token');
      const { data } = await askGraph({ url, token }, loginQuery, {});
      const { viewer } = data as { viewer: { name: string } };
      const named = { ...profiles.named, [name]: { url, token } };
      writeProfiles(terminal.caller.folder, { current: name, named });
      terminal.err.write(`You are ${plain(viewer.name)} at ${url}. The profile ${name} has the token.\n`);
    },
  );
  addCommand(
    program,
    adding,
    {
      name: 'logout',
      does: 'Removes a profile and its token from this machine. The token itself stays good: revoke it to end it.',
    },
    async ({ terminal }, given) => {
      const { current, named } = readProfiles(terminal.caller.folder);
      const name = (given['profile'] as string | undefined) ?? terminal.caller.profile ?? current;
      if (name === undefined || !Object.hasOwn(named, name)) throw noSuch('profile');
      const others = Object.fromEntries(Object.entries(named).filter(([one]) => one !== name));
      // The next command is not to go to another Keyway unasked.
      writeProfiles(terminal.caller.folder, {
        current: current === name ? undefined : current,
        named: others,
      });
      terminal.err.write(`The profile ${name} is removed.\n`);
    },
  );
  addCommand(
    program,
    adding,
    { name: 'whoami', does: 'Shows the account that you call as, and its roles.' },
    async (session) => {
      const { viewer } = (await session.ask(whoamiQuery)) as { viewer: Fields };
      writeOne(session.terminal, session.form, viewer);
    },
  );
}

function profileIn(given: Fields): string {
  const name = (given['profile'] as string | undefined) ?? 'default';
  if (!/^[A-Za-z0-9][\w.-]{0,63}$/.test(name)) throw wrongUsage('profile', 'must be a word such as prod');
  return name;
}
