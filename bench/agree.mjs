// Whether a contestant answers rightly, before it is measured: errors look fast.
import { isDeepStrictEqual } from 'node:util';
import { names } from './world.mjs';
import { said } from './dialects.mjs';

const checked = 20;
const reference = new Map();

/**
 * Asks a contestant some of the questions; what others were asked before must be answered alike.
 * @throws where it is not.
 */
export async function expectRight(name, server, asker, request, questions) {
  for (const question of questions.slice(0, checked)) {
    const answer = said(await ask(server, asker, request, question));
    const wanted = request === 'Q1' || request === 'Q2' ? seenBefore(request, question, answer) : undefined;
    const right = wanted ? isDeepStrictEqual(answer, wanted) : isRight(request, question, answer);
    if (!right)
      throw new Error(
        `${name} answers ${request} differently: ${JSON.stringify(answer).slice(0, 300)}; wanted ${JSON.stringify(wanted)?.slice(0, 300)}`,
      );
  }
}

/** What the first who was asked this has answered. */
function seenBefore(request, question, answer) {
  const key = `${request} ${question.n ?? `${question.project} ${question.after}`}`;
  if (!reference.has(key)) reference.set(key, answer);
  return answer.length > 0 ? reference.get(key) : ['an answer'];
}

const isRight = (request, question, answer) =>
  ({
    Q3: () =>
      answer.valid === undefined
        ? answer[0]?.name === names.credential(question.n)
        : answer.valid && [undefined, question.key.name].includes(answer.name),
    M1: () => {
      const [{ name, account, project, roles } = {}] = answer;
      return name === question.name && isDeepStrictEqual({ account, project, roles }, question.expected);
    },
    M2: () => [names.credential(question.n), question.key.name].includes(answer[0]?.name),
  })[request]();

/** Asks one question and returns the answer, parsed. */
export async function ask({ url }, asker, request, question) {
  const { path, body } = asker.of(request, question);
  const response = await fetch(url + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(asker.token && { authorization: `Bearer ${asker.token}` }),
    },
    body,
  });
  return response.json();
}
