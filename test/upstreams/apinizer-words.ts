import type { Answered } from './stand-in.js';

/** Which of the two contracts a server speaks. */
export type Generation = 'older' | 'current';

/** Why a call is refused. */
export type Reason = 'token' | 'project' | 'credential' | 'duplicate' | 'permission' | 'input';

/** A refusal as this generation writes it; `text` is what the current one says. */
export function refused(generation: Generation, reason: Reason, text: string): Answered {
  if (generation === 'current')
    return { status: reason === 'token' ? 401 : 400, body: { status: 'FAILURE', resultMessage: text } };
  if (reason === 'token') return oauthError(401, 'unauthorized_client', 'Invalid token');
  if (reason === 'project' || reason === 'credential') return oauthError(404, 'not_found', text);
  if (reason === 'duplicate')
    return oauthError(400, 'bad_request', 'There is already a credential has this name!');
  return oauthError(400, 'bad_request', text);
}

/** A list as this generation writes it. */
export const listed = (generation: Generation, resultList: unknown[]): Answered => ({
  status: 200,
  body:
    generation === 'current'
      ? { status: 'SUCCESS', resultList, resultCount: resultList.length }
      : { success: true, resultList },
});

/** What was stored, and how it was deployed, as this generation writes it. */
export const stored = (generation: Generation, deploymentResult: unknown): Answered => ({
  status: 200,
  body: { ...(generation === 'current' ? { status: 'SUCCESS' } : { success: true }), deploymentResult },
});

/** An error of the token endpoint, in both generations, and of everything in the older one. */
export const oauthError = (status: number, error: string, text: string): Answered => ({
  status,
  body: { error, error_description: text },
});

/** How it went in an environment. */
export interface Deployed {
  environment: string;
  success: boolean;
}

/** The report on a deployment: as the pages write it, or as the API file and the page on DELETE do. */
export function reportOf(shape: 'pages' | 'file', results: Deployed[]) {
  const success = results.every((one) => one.success);
  const wordOf = (ok: boolean) => (ok ? 'ok' : 'the environment cannot be reached');
  if (shape === 'pages')
    return {
      success,
      message: wordOf(success),
      environmentResults: results.map(({ environment, success: ok }) => ({
        environmentName: environment,
        success: ok,
        message: wordOf(ok),
      })),
    };
  return {
    success,
    responseTime: 12,
    detailList: results.map(({ environment, success: ok }) => ({
      envName: environment,
      podName: `${environment}-worker-0`,
      podIp: '192.0.2.10',
      success: ok,
      detail: wordOf(ok),
      responseTime: 12,
    })),
  };
}
