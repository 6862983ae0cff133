import { URI, type TOTP } from 'otpauth';
import { expectData } from './make.js';
import type { SharedServer, TestServer } from './server.js';

const stepMs = 30_000;

/** An authenticator app that has taken over a second factor. */
export interface Authenticator {
  readonly uri: string;
  readonly qrCode: string;
  /** The code at the server's time, or that of as many time steps later. */
  code(steps?: number): string;
}

/** Enrols a second factor for the account of a token. */
export async function enrol(
  server: SharedServer,
  token: string,
  input: Record<string, unknown> = {},
): Promise<Authenticator> {
  const answer = await server.ask(
    'mutation ($input: EnrolMfaInput!) { enrolMfa(input: $input) { otpauthUri qrCode } }',
    { input },
    { token },
  );
  const { otpauthUri, qrCode } = expectData(answer).enrolMfa as { otpauthUri: string; qrCode: string };
  return { ...takeOver(server, otpauthUri), qrCode };
}

/** The app that has taken over the second factor of this URI. */
export function takeOver(server: SharedServer, uri: string): Omit<Authenticator, 'qrCode'> {
  const app = URI.parse(uri) as TOTP;
  return { uri, code: (steps = 0) => app.generate({ timestamp: server.db.now() + steps * stepMs }) };
}

/** Enrols and confirms one: the code of the present time step is used then, that of the next is not. */
export async function enrolAndConfirm(
  server: SharedServer,
  token: string,
): Promise<Authenticator & { recoveryCodes: string[] }> {
  const app = await enrol(server, token);
  const answer = await server.ask(
    'mutation ($input: ConfirmMfaInput!) { confirmMfa(input: $input) { recoveryCodes } }',
    { input: { code: app.code() } },
    { token },
  );
  return { ...app, recoveryCodes: expectData(answer).confirmMfa.recoveryCodes };
}

/** Holds the server's clock, so that no time step ends unasked: it goes on by whole steps, when it is moved. */
export function holdClock(server: TestServer): { move(steps: number): void } {
  let at = server.db.now();
  server.db.now = () => at;
  return { move: (steps) => void (at += steps * stepMs) };
}
