// The bodies that a contestant is sent, as files for wrk.
import { Buffer } from 'node:buffer';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dialects } from './dialects.mjs';

/** How a running contestant is asked: the token, and the path and body for a question. */
export async function askerOf(contestant, bed, url) {
  const cursor = contestant.dialect === 'postgraphile' ? await cursorsOf(url) : undefined;
  return {
    token: contestant.reader ? bed.known.reader : contestant.keyway ? bed.known.token : undefined,
    of: (request, question, first = 50) => dialects[contestant.dialect](request, question, first, cursor),
  };
}

/** The questions that a contestant can be asked: a reader of one project sees no other. */
export function questionsFor(contestant, bed, request) {
  const questions = bed.questions[request];
  if (!contestant.reader) return questions;
  return request === 'Q1' ? questions.filter(({ project }) => project === 1) : bed.readable;
}

/** Writes the bodies of a request, one a line. @returns the file and the path to post them to. */
export function writeBodies(bed, name, asker, request, questions, first) {
  const file = join(bed.files, `${name}-${request}-${first ?? 50}`);
  const asked = questions.map((question) => asker.of(request, question, first));
  writeFileSync(file, asked.map(({ body }) => `${body.replace(/\s*\n\s*/g, ' ')}\n`).join(''));
  return { file, path: asked[0].path };
}

/** PostGraphile's cursors are its own affair; in place of the id of one that it gave comes another. */
async function cursorsOf(url) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      query:
        '{ allCredentials(condition: { projectId: 1 }, orderBy: [PRIMARY_KEY_DESC], first: 1) { edges { cursor } } }',
    }),
  });
  const { data } = await response.json();
  const sample = JSON.parse(Buffer.from(data.allCredentials.edges[0].cursor, 'base64').toString());
  return (id) => {
    const value = typeof sample.at(-1) === 'string' ? String(id) : id;
    return Buffer.from(JSON.stringify([...sample.slice(0, -1), value])).toString('base64');
  };
}
